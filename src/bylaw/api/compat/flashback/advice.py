"""Help with writing policies: a review of wordings, and policies that fit a need."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Request

from bylaw.api.advising import reviews
from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import translate
from bylaw.api.compat.flashback.policies import require_own
from bylaw.api.compat.flashback.wire import Drafts, Need, Recommendations, Reviews
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.route import Route, admits, body, incoming_of, principal_of
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.tenancy.model import EVERYWHERE, Place
from bylaw.tenancy.places import read_repo, read_workspace
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

MOST: Final = 50
MOST_CHARACTERS: Final = 100_000


@router.post("/policy/validate")
async def validate_policies(
    parts: Annotated[Parts, admits("policy:write")], drafts: Annotated[Drafts, body(Drafts)]
) -> Reply[Reviews]:
    """Review the wording of policies, which need not be stored. At most 50 at once."""
    if len(drafts.policies) > MOST:
        raise InvalidInput.of("policies", "too_many", f"At most {MOST} at once.")
    if sum(len(each.content) for each in drafts.policies) > MOST_CHARACTERS:
        raise InvalidInput.of("policies", "too_long", f"At most {MOST_CHARACTERS} characters at once.")
    texts = [each.content for each in drafts.policies]
    advice = await asyncio.to_thread(reviews, texts, await parts.adviser.found(texts))
    results = (translate.reviewed(*each) for each in zip(drafts.policies, advice, strict=True))
    return Reply(Reviews(results=tuple(results)))


@router.post("/policy/recommendations", name="recommend_policies_too")
@router.post("/policy/recommend")
async def recommend_policies(
    parts: Annotated[Parts, admits("policy:write")],
    request: Request,
    need: Annotated[Need, body(Need)],
) -> Reply[Recommendations]:
    """Recommend policies that fit a need told in words: from a model, else from the packs of the server.

    The header `x-bylaw-recommended-by` says whose they are (`model` or `packs`), and
    `x-bylaw-model-failed` why they are not those of the model that there is.
    """
    principal = principal_of(request)
    async with parts.acting(principal, writes=False) as acting:
        place = await _place(acting, need)
    principal.require("policy:write", place)
    if not need.prompt.strip():
        raise InvalidInput.of("prompt", "required", "Say what the policies are for.")
    asking = parts.recommender.recommended(need.prompt, translate.LEVELS[need.level])
    found = await incoming_of(request).attended(asking)
    reply = Reply(
        Recommendations(
            level=need.level,
            uuid=need.uuid or principal.tenant_id,
            tokens_in=found.usage.tokens_in,
            tokens_out=found.usage.tokens_out,
            recommended_policies=tuple(map(translate.recommended, found.policies)),
        )
    )
    is_models = parts.recommender.model is not None and not found.failed
    reply.headers["x-bylaw-recommended-by"] = "model" if is_models else "packs"
    if found.failed:
        reply.headers["x-bylaw-model-failed"] = found.failed
    return reply


async def _place(acting: Acting[Unit], need: Need) -> Place:
    """Return the place for which policies are wanted; without an id it is the whole organisation.

    Raises: NotFound; Forbidden for another organisation.
    """
    if not need.uuid:
        return EVERYWHERE
    if need.level == 0:
        require_own(acting, need.uuid)
        return EVERYWHERE
    if need.level == 1:
        return Place(workspace_id=(await read_workspace(acting, WorkspaceId(need.uuid))).id)
    repo = await read_repo(acting, RepoId(need.uuid))
    return Place(workspace_id=repo.workspace_id, repo_id=repo.id)
