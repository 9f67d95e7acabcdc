"""Flashback's contract as a family, and `{"success": false, "message": …}` for what fails."""

from collections.abc import Mapping
from typing import Final

import msgspec

from bylaw.api.compat.flashback import (
    advice,
    ai_keys,
    connections,
    conversations,
    events,
    organization,
    policies,
    records,
    statistics,
    workspaces,
)
from bylaw.api.compat.flashback.examples import ANSWERS, EXAMPLES, PARAMETERS, WORDS
from bylaw.api.compat.flashback.translate import PATHS
from bylaw.api.compat.flashback.wire import FlashbackFailure
from bylaw.api.family import Family
from bylaw.api.openapi import Examples
from bylaw.api.problems import Answer, ProblemBody

_STATUS: Final[Mapping[int, int]] = {422: 400, 412: 409}
# What the state does not allow and the contract calls a bad request.
_BAD: Final = frozenset({"not_empty", "last_owner", "exists"})


def dress(problem: ProblemBody) -> Answer:
    """Return a failure as the contract has it: one sentence, which names the field that is at fault."""
    said = [f"{_field(each.path)}{each.message}" for each in problem.errors]
    status = 400 if problem.reason in _BAD else _STATUS.get(problem.status, problem.status)
    body = FlashbackFailure(message=" ".join(said) or problem.detail)
    return Answer(status=status, body=msgspec.json.encode(body))


def _field(path: str) -> str:
    name = path.removeprefix("query.")
    return f"{PATHS.get(name, name)}: " if name else ""


FLASHBACK: Final = Family(
    name="flashback",
    prefixes=(
        "/policy",
        "/workspace",
        "/repo",
        "/organization/",
        "/user/",
        "/v2/stats/",
        "/systemevent",
        "/ai/",
        "/conversation",
        "/aistats/",  # not served, and the client reads no other failure than this contract's
    ),
    routers=(
        records.router,  # `/policy/violations` is no id
        advice.router,
        policies.router,
        workspaces.router,
        organization.router,
        statistics.router,
        ai_keys.router,
        connections.router,
        conversations.router,
        events.router,
    ),
    dress=dress,
    fails_with=FlashbackFailure,
    examples=Examples(whole=EXAMPLES, words=WORDS, answers=ANSWERS),
    parameters=PARAMETERS,
)
