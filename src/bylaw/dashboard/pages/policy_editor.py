"""Writing a policy: in plain words or as expressions, tried before it is saved, with a reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable, part, words
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.names import actor_names, people_of
from bylaw.dashboard.pages.policy_fact import HOWS
from bylaw.dashboard.pages.policy_form import (
    PolicyForm,
    RuleField,
    changed,
    differences,
    form_in,
    form_of,
    situation_in,
)
from bylaw.dashboard.pages.policy_situation import Situation, Unreadable
from bylaw.dashboard.visit import Visit

_WRITTEN: Final = ("type", "text", "expr", "message")
_OUTCOMES: Final = ("allow", "flag", "review", "block")
_LISTED: Final = re.compile(r"(rule|example|fact)s\[(\d+)\]")
_CALLED: Final = {"fact": "Condition"}
_FIRST: Final = PolicyForm(rules=(RuleField(),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody is writing: the form, why, and what they try it on.

    `policy` is the one that is changed, None for a new one; `revision` the one of it that they saw.
    """

    form: PolicyForm
    situation: Situation = field(default_factory=Situation)
    asks_model: bool = False
    reason: str = ""
    policy: Item | None = None
    revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What there is to say about a draft; `errors` by field, `detail` about the whole.

    `check` is what the API says of it, `together` what is decided with all that is in force, `theirs` what
    somebody else saved meanwhile.
    """

    check: Item | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""
    together: Item | None = None
    theirs: Item | None = None
    status: int = 200


async def new(visit: Visit) -> Response:
    """Show the editor for a new policy."""
    form = replace(_FIRST, place=visit.workspace)
    return await _editor(visit, Draft(form=form), Said())


async def write(visit: Visit) -> Response:
    """Save a new policy, or show what was changed, checked or tried."""
    draft = _draft(visit)
    if visit.form.get("do") != "save":
        return await _worked(visit, draft)
    try:
        body = {**draft.form.content(), **draft.form.placed(), "reason": draft.reason}
        made = await visit.once("/v1/policies", body)
    except (Refused, Unreadable) as error:
        return await _editor(visit, draft, _refused(draft, error))
    return visit.go(f"/policies/{made['id']}", said=_saved(made))


async def edit(visit: Visit) -> Response:
    """Show the editor for a policy: for the version that waits, where one does."""
    policy, revision = await _known(visit)
    draft = Draft(form=await _form(visit, policy), policy=policy, revision=revision)
    return await _editor(visit, draft, await _checked(visit, draft))


async def change(visit: Visit) -> Response:
    """Save a change, or show what was changed, checked or tried."""
    policy, revision = await _known(visit)
    draft = replace(_draft(visit), policy=policy)
    if visit.form.get("do") != "save":
        return await _worked(visit, draft)
    try:
        body = {**draft.form.content(), "reach": draft.form.reach, "reason": draft.reason}
        made = await visit.send("PATCH", f"/v1/policies/{policy['id']}", body, revision=draft.revision)
    except (Refused, Unreadable) as error:
        said = _refused(draft, error)
        if said.status != 412:
            return await _editor(visit, draft, said)
        if policy["updated_by"] == visit.who["actor"] and await _says(visit, policy, draft.form):
            return visit.go(f"/policies/{policy['id']}", said=_saved(policy))  # it was sent twice
        # Saved once more, it replaces what they were shown now.
        said = replace(said, detail="", theirs=policy)
        return await _editor(visit, replace(draft, revision=revision), said)
    return visit.go(f"/policies/{made['id']}", said=_saved(made))


async def _worked(visit: Visit, draft: Draft) -> Response:
    button = visit.form.get("do", "")
    draft = replace(draft, form=changed(draft.form, button))
    said = await _checked(visit, draft, asks_model=draft.asks_model and button == "try")
    if button == "try" and said.check is not None and draft.situation and visit.may("decisions:write"):
        said = replace(said, together=await _together(visit, draft, said.check))
    return await _editor(visit, draft, said)


async def _checked(visit: Visit, draft: Draft, *, asks_model: bool = False) -> Said:
    """Return what the API says of a draft; a field that cannot be read says so."""
    try:
        content = draft.form.content()
    except Unreadable as error:
        return Said(errors={error.field: str(error)})
    errors: dict[str, str] = {}
    request = None
    try:
        request = draft.situation.request() if draft.situation else None
    except Unreadable as error:
        errors[f"try.{error.field}"] = str(error)
    body = {**content, **draft.form.placed(), "request": request, "asks_model": asks_model}
    if draft.policy is not None:
        body["policy_id"] = draft.policy["id"]
    try:
        check = await visit.send("POST", "/v1/policies:check", body)
    except Refused as refused:
        return Said(errors=errors, detail=mendable(refused).detail)
    found = {draft.form.at(str(each["path"])): str(each["message"]) for each in items(check, "problems")}
    return Said(check=check, errors={**found, **errors})


async def _together(visit: Visit, draft: Draft, check: Item) -> Item | None:
    """Return what is decided by the draft with all that is in force; None where that cannot be asked."""
    own = part(check, "explanation")
    if not own:
        return None
    workspace, _, repo = draft.form.place.partition("/")
    place = {"workspace_id": workspace or None, "repo_id": repo or None}
    try:
        found = await visit.send("POST", "/v1/decisions:explain", {**place, **draft.situation.request()})
    except Refused:
        return None
    ident = None if draft.policy is None else draft.policy["id"]
    applied = items(part(found, "decision"), "policies")
    others = [each for each in applied if each["id"] != ident and each["outcome"] != "allow"]
    outcomes = [str(each["outcome"]) for each in (*others, part(own, "decision"))]
    return {"others": others, "outcome": max(outcomes, key=_OUTCOMES.index)}


async def _editor(visit: Visit, draft: Draft, said: Said) -> Response:
    return visit.show(
        "policies/editor.html",
        status=said.status,
        draft=draft,
        form=draft.form,
        told=said,
        errors=said.errors,
        wrong=[(_called(path), message.partition("\n")[0]) for path, message in said.errors.items()],
        places=await _places(visit),
        notes=_notes(draft.form, said),
        differences=() if said.theirs is None else differences(await _form(visit, said.theirs), draft.form),
        names={}
        if said.theirs is None
        else await actor_names(visit, await people_of(visit, visit.workspace or None)),
        can_ask_model=await _has_model(visit),
        hows=HOWS,
        focus="" if visit.is_part else _focus(draft.form, visit.form.get("do", "")),
    )


def _called(path: str) -> str:
    """Return what people call the field at `path`: Rule 2, Example 1, On indeterminate."""
    found = _LISTED.match(path)
    if found is None:
        place, _, name = path.rpartition(".")
        return f"{'Try it, ' if place else ''}{name.replace('_', ' ')}".capitalize()
    return f"{_CALLED.get(found[1], found[1].capitalize())} {int(found[2]) + 1}"


def _focus(form: PolicyForm, button: str) -> str:
    """Return the id of what a button led to, so that nobody has to look for it; empty for none."""
    added = {
        "add-words": f"rule-{len(form.rules) - 1}-text",
        "add-expression": f"rule-{len(form.rules) - 1}-text",
        "add-example": f"example-{len(form.examples) - 1}-name",
        "add-fact": f"fact-{len(form.facts) - 1}-name",
        "try": "tried",
        "check": "check",
    }
    return added.get(button, "")


def _notes(form: PolicyForm, said: Said) -> Mapping[int, Mapping[str, object]]:
    """Return what there is to say about each rule, by its place in the form."""
    check = said.check or {}
    texts = [index for index, rule in enumerate(form.rules) if rule.text.strip() and rule.kind == "nl"]
    notes: dict[int, dict[str, object]] = {}
    for name in ("judged", "advice"):
        for index, each in zip(texts, items(check, name), strict=False):
            notes.setdefault(index, {})[name] = each
    for each in items(check, "warnings"):
        at = form.at(str(each["path"]))
        # That nobody can judge a rule is told with how it is judged.
        if at.startswith("rules[") and each["code"] != "needs_judge":
            index = int(at[6:-1])
            warned = cast("list[object]", notes.setdefault(index, {}).setdefault("warnings", []))
            warned.append(each["message"])
    return notes


async def _known(visit: Visit) -> tuple[Item, str]:
    answered = await visit.ask("GET", f"/v1/policies/{visit.request.path_params['id']}")
    return cast("Item", answered.data), answered.etag


async def _form(visit: Visit, policy: Item) -> PolicyForm:
    version = policy
    if policy["pending"]:
        version = await visit.get(f"/v1/policies/{policy['id']}/versions/{policy['pending']}")
    return form_of(version, place=place_of(policy), reach=str(policy["reach"]))


async def _says(visit: Visit, policy: Item, form: PolicyForm) -> bool:
    """Return whether a policy, or what of it waits, says what the form does."""
    known = (await _form(visit, policy)).content()
    try:
        said = form.content()
    except Unreadable:
        return False
    return _plain(known) == _plain(said)


def _plain(content: Mapping[str, object]) -> Mapping[str, object]:
    """Return a content without what the API fills in for each rule."""
    rules = cast("Sequence[Item]", content["rules"])
    return {**content, "rules": [{name: rule.get(name) for name in _WRITTEN} for rule in rules]}


def place_of(policy: Item) -> str:
    """Return where a policy holds, as the form has it."""
    workspace, repo = policy["workspace_id"], policy["repo_id"]
    return f"{workspace}/{repo}" if repo else str(workspace or "")


async def _places(visit: Visit) -> Sequence[tuple[str, str]]:
    """Return where the person may write policies, with names: in one workspace, if they work in one.

    Shape: the repos are those that the API lists at once; whoever misses one chooses its workspace.
    """
    found: list[tuple[str, str]] = []
    if {"policy:write", "admin"} & set(words(visit.who, "scopes")):
        found.append(("", "Everywhere in the organisation"))
    repos: dict[str, list[Item]] = {}
    for each in items(
        await visit.get("/v1/repos", limit="500", workspace_id=visit.workspace or None), "data"
    ):
        repos.setdefault(str(each["workspace_id"]), []).append(each)
    for workspace in items(visit.who, "workspaces"):
        ident, name = str(workspace["id"]), str(workspace["name"])
        if visit.may("policy:write", ident):
            found.append((ident, name))
            found += [(f"{ident}/{each['id']}", f"{name} / {each['name']}") for each in repos.get(ident, ())]
    return found


async def _has_model(visit: Visit) -> bool:
    try:
        found = await visit.get("/v1/evaluators")
    except Refused:
        return False
    return any(each["id"] == "model" and each["is_configured"] for each in items(found, "evaluators"))


def _draft(visit: Visit) -> Draft:
    return Draft(
        form=form_in(visit.fields),
        situation=situation_in(visit.form, "try."),
        asks_model="asks_model" in visit.form,
        reason=visit.form.get("reason", ""),
        revision=visit.form.get("revision", ""),
    )


def _refused(draft: Draft, error: Refused | Unreadable) -> Said:
    """Return why a draft was not saved. Raises: Refused when nobody can mend that here."""
    if isinstance(error, Unreadable):
        detail = "Nothing was saved: mend what is marked."
        return Said(errors={error.field: str(error)}, detail=detail, status=422)
    errors = {draft.form.at(path): message for path, message in mendable(error).errors.items()}
    detail = "Nothing was saved: mend what is marked." if error.status == 422 else error.detail
    return Said(errors=errors, detail=detail, status=error.status)


def _saved(made: Item) -> str:
    """Return what is said to whoever saved a policy."""
    if made["pending"]:
        return (
            f"Saved. Version {made['pending']} waits for review; version {made['approved']} stays in force."
        )
    if made["status"] == "pending_review":
        return "Saved. It waits for review and is not in force yet."
    return "Saved. It is in force now." if made["is_in_force"] else "Saved. It is not in force."


PAGES: Final[tuple[Page, ...]] = (
    shown("/policies/new", new),
    sent("/policies/new", write),
    shown("/policies/{id}/edit", edit),
    sent("/policies/{id}/edit", change),
)
