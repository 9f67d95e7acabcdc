"""Run all parts of the bench, or the named ones: `python -m bench [PART ...] [--quick] [--out FOLDER]`.

Each part is a module here with `run(*, quick: bool) -> list[Table]`; its tables are printed and written to
`FOLDER/PART.json` together with the machine.
"""

import argparse
import importlib
import json
import time
from pathlib import Path

from bench import machine

PARTS = (
    "rules",
    "receipts",
    "ledger",
    "decisions",
    "publish",
    "lists",
    "pages",
    "jobs",
    "beside",
    "webhooks",
    "search",
    "search_postgres",
    "search_quality",
    "routing",
    "finding",
    "learning",
    "offline",
    "judge",
    "server",
)


def main() -> None:
    """Run the parts that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all when left out")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: for a look, not for the docs")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="where the JSON goes"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    host = machine.describe()
    print(", ".join(f"{key} {value}" for key, value in host.items()), end="\n\n")
    options.out.mkdir(parents=True, exist_ok=True)
    for part in options.parts or PARTS:
        began = time.perf_counter()
        tables = importlib.import_module(f"bench.{part}").run(quick=options.quick)
        for table in tables:
            print(table.text())
        result = {
            "part": part,
            "machine": host,
            "quick": options.quick,
            "seconds": round(time.perf_counter() - began, 1),
            "tables": [table.data() for table in tables],
        }
        path = options.out / f"{part}.json"
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{part}: {result['seconds']} s, written to {path}\n")


if __name__ == "__main__":
    main()
