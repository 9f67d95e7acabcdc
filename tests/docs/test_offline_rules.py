"""The page of the wordings that are checked without a model says what the evaluator does."""

import pytest

from bylaw.evaluators.offline import explain
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/reference/offline-rules.md"
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in PAGE.read_text("utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|--", "| rule"))
]


@pytest.mark.parametrize(("rule", "shape", "judge"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_each_rule_is_read_as_the_page_says(rule, shape, judge):
    how = explain(rule, "reject")
    assert (how.shape, how.needs_judge) == (shape, judge == "yes")


SHAPES = (
    *("mention", "wanted", "count", "form", "links", "limit", "offer", "value", "presence"),
    *("calls", "argument", "order", "at_once", "amount", "recipients", "required", "commands"),
)


def test_the_page_has_every_shape():
    assert {row[1] for row in ROWS} == {"", *SHAPES}
