"""oHallo's contract as a family: everything under `/api/`, and `{"error": …}` for what fails."""

from collections.abc import Mapping
from typing import Final

import msgspec

from bylaw.api.compat.ohallo import around, conversations, entries
from bylaw.api.compat.ohallo.examples import ANSWERS, EXAMPLES, PARAMETERS, WORDS
from bylaw.api.compat.ohallo.translate import PATHS
from bylaw.api.compat.ohallo.wire import Failure
from bylaw.api.family import Family
from bylaw.api.openapi import Examples
from bylaw.api.problems import Answer, ProblemBody

_STATUS: Final[Mapping[int, int]] = {422: 400, 412: 409}


def dress(problem: ProblemBody) -> Answer:
    """Return a failure as the contract has it: one sentence, which names the field that is at fault."""
    said = [f"{_field(each.path)}{each.message}" for each in problem.errors]
    body = Failure(error=" ".join(said) or problem.detail)
    return Answer(status=_STATUS.get(problem.status, problem.status), body=msgspec.json.encode(body))


def _field(path: str) -> str:
    name = path.removeprefix("query.")
    return f"{PATHS.get(name, name)}: " if name else ""


OHALLO: Final = Family(
    name="ohallo",
    prefixes=("/api/",),
    routers=(entries.router, conversations.router, around.router),
    dress=dress,
    fails_with=Failure,
    examples=Examples(whole=EXAMPLES, words=WORDS, answers=ANSWERS),
    parameters=PARAMETERS,
)
