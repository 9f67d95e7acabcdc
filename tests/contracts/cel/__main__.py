"""Print how many conformance cases pass, per file: `python -m tests.contracts.cel [FOLDER]`."""

import sys
from collections import Counter
from pathlib import Path

from tests.contracts.cel.cases import load
from tests.contracts.cel.differences import DIFFERENCES
from tests.contracts.cel.run import run
from tests.shared import REASON, SHARED

EXTENSIONS = {
    "bindings_ext",
    "block_ext",
    "encoders_ext",
    "macros2",
    "math_ext",
    "network_ext",
    "optionals",
    "string_ext",
}


def main(arguments: list[str]) -> int:
    """Return 0 when every applicable case passes or is an intended difference."""
    if not arguments and SHARED is None:
        print(REASON)
        return 2
    folder = Path(arguments[0]) if arguments else SHARED / "data" / "cel-spec"
    cases = load(folder)
    results = {case.name: run(case) for case in cases if not case.left_out}
    print(f"{'file':<16}{'cases':>7}{'applicable':>12}{'passed':>8}{'intended':>10}{'failed':>8}")
    groups = [(name, {name}) for name in sorted({case.file for case in cases})]
    core = {name for name, _ in groups} - EXTENSIONS
    for title, files in [*groups, ("core", core), ("extensions", EXTENSIONS), ("all", core | EXTENSIONS)]:
        mine = [case for case in cases if case.file in files]
        ran = [results[case.name] for case in mine if not case.left_out]
        passed = sum(result.passed for result in ran)
        intended = sum(not result.passed and result.case.name in DIFFERENCES for result in ran)
        failed = len(ran) - passed - intended
        print(f"{title:<16}{len(mine):>7}{len(ran):>12}{passed:>8}{intended:>10}{failed:>8}")
    print("\nleft out:")
    for reason, count in Counter(case.left_out for case in cases if case.left_out).items():
        print(f"  {count:>4}  {reason}")
    wrong = [r for r in results.values() if r.passed == (r.case.name in DIFFERENCES)]
    for result in wrong:
        print(
            f"\n{result.case.name}\n  {result.case.expr}\n  wanted {result.case.expected!r}\n  {result.got}"
        )
    return 1 if wrong else 0


sys.exit(main(sys.argv[1:]))
