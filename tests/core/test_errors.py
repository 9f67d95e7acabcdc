import pytest

from bylaw.core import errors
from bylaw.core.errors import BylawError

MADE = [
    errors.InvalidInput("no", errors.Problem(path="a", code="b", message="c")),
    errors.RuleSyntax("no", line=1, column=2, caret="^", hint="h"),
    errors.Unauthenticated("no"),
    errors.Forbidden("no", needs="admin"),
    errors.NotFound("policy", "pol_1"),
    errors.Conflict("no", reason="exists"),
    errors.ChooseTenant("no", tenants=[("t", "T")], ticket="x"),
    errors.PreconditionFailed("no", current="3"),
    errors.TooLarge("no", limit=5, unit="bytes"),
    errors.RateLimited("no", retry_after_s=2),
    errors.DeadlineExceeded("no"),
    errors.Unavailable("no"),
    errors.Corrupt("no", place="log"),
]


def test_every_error_of_the_tree_has_a_code_of_its_own():
    kinds = [kind for each in BylawError.__subclasses__() for kind in (each, *each.__subclasses__())]
    mine = [kind for kind in kinds if kind.__module__ == errors.__name__]
    assert {type(error) for error in MADE} == set(mine)
    assert len({kind.code for kind in mine}) == len(mine)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in mine)


@pytest.mark.parametrize("error", MADE, ids=lambda error: error.code)
def test_an_error_is_its_sentence_and_carries_its_data(error):
    assert str(error) == error.message
    given = {name: value for name, value in vars(error).items() if name != "message"}
    assert all(value not in (None, "", ()) for value in given.values())
