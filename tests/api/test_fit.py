"""What a body that does not fit is told."""

import pytest

from bylaw.api.fit import fit
from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Request


def problems(value):
    """Return the path and the message of every misfit."""
    with pytest.raises(InvalidInput) as caught:
        fit(value, Request)
    return {each.path: each.message for each in caught.value.problems}


def test_a_misspelt_field_is_told_the_one_it_resembles():
    assert problems({"toolcall": {}}) == {"toolcall": "There is no such field; did you mean 'tool_call'?"}


def test_a_field_like_no_other_is_told_which_there_are():
    assert "it takes agent_id, user_id, " in problems({"zzz": 1})["zzz"]


def test_a_misspelt_word_is_told_the_one_it_resembles():
    said = problems({"phase": "toolcall"})
    assert said == {"phase": "'toolcall' is not one of the values; did you mean 'tool_call'?"}


def test_a_word_like_no_other_is_told_which_there_are():
    said = problems({"phase": "x" * 1000})["phase"]
    assert said.endswith("use one of input, output, tool_call, tool_result, decision.")
    assert len(said) < 200


def test_every_misfit_is_told():
    assert set(problems({"agent": 1, "phase": 3, "tool_call": {"name": 1}})) == {
        "agent",
        "phase",
        "tool_call.name",
    }
