import pytest

from tests.contracts.cel.cases import Case, load
from tests.contracts.cel.differences import DIFFERENCES
from tests.contracts.cel.run import run
from tests.shared import REASON, SHARED

CASES = load(SHARED / "data" / "cel-spec") if SHARED else []
APPLICABLE = [case for case in CASES if not case.left_out]

pytestmark = pytest.mark.skipif(SHARED is None, reason=REASON)


@pytest.mark.parametrize("case", APPLICABLE, ids=lambda case: case.name)
def test_an_applicable_case_passes_unless_it_differs_on_purpose(case: Case) -> None:
    result = run(case)
    if case.name in DIFFERENCES:
        assert not result.passed, "passes now: remove it from the intended differences"
    else:
        assert result.passed, f"{case.expr}: wanted {case.expected!r}, {result.got}"


def test_every_intended_difference_names_an_applicable_case() -> None:
    assert DIFFERENCES.keys() <= {case.name for case in APPLICABLE}


def test_the_whole_specification_was_read() -> None:
    assert len(CASES) >= 2456
    assert len(APPLICABLE) >= 1728
