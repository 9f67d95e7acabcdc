import pytest

from bylaw.policies.outcomes import OUTCOMES, RANK, when_undecided, when_violated
from bylaw.policies.parse import parse_content

BASE = {"name": "n", "rules": [{"expr": "amount < 5000"}]}


def test_outcomes_are_ranked_from_the_weakest():
    assert sorted(RANK, key=RANK.__getitem__) == list(OUTCOMES) == ["allow", "flag", "review", "block"]


@pytest.mark.parametrize(
    ("action", "violated", "undecided"),
    [
        ("log", "allow", "allow"),
        ("alert", "flag", "flag"),
        ("review", "review", "review"),
        ("block", "block", "review"),
    ],
)
def test_the_outcome_follows_the_action(action, violated, undecided):
    content = parse_content({**BASE, "action": action})
    assert (when_violated(content), when_undecided(content)) == (violated, undecided)
    assert when_undecided(parse_content({**BASE, "action": action, "on_indeterminate": "flag"})) == "flag"
