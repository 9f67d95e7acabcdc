"""Conditions are kept as written, except where they could never hold."""

import pytest

from bylaw.core.errors import InvalidInput
from bylaw.policies.parse import parse_content


@pytest.mark.parametrize(
    ("phase", "at"), [("toolcall", "conditions.phase"), (["output", "Input"], "conditions.phase[1]")]
)
def test_a_phase_that_no_request_has_is_refused_with_what_was_meant(phase, at):
    with pytest.raises(InvalidInput) as refused:
        parse_content({"name": "A", "rules": [{"expr": "a == 1"}], "conditions": {"phase": phase}})
    assert [problem.path for problem in refused.value.problems] == [at]
    assert "did you mean" in refused.value.problems[0].message


@pytest.mark.parametrize("phase", ["tool_call", ["input", "output"], ["input", 5], {"ne": "input"}, None])
def test_phases_that_requests_have_are_kept_as_written(phase):
    read = parse_content({"name": "A", "rules": [{"expr": "a == 1"}], "conditions": {"phase": phase}})
    assert read.conditions == {"phase": phase}
