"""What was measured on: a figure means nothing without its machine."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import bylaw


def describe() -> dict[str, object]:
    """Return processor, usable cores, memory, operating system, Python and Bylaw versions."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "bylaw": _bylaw(),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _bylaw() -> str:
    try:
        return version("bylaw")
    except PackageNotFoundError:
        return getattr(bylaw, "__version__", "source tree")
