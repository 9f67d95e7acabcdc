"""What a reviewer needs to know of what waits: what it says, where it comes from, who may decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from bylaw.dashboard.asking import HIDDEN, Item, Refused, items, part
from bylaw.dashboard.pages.names import full_name, people_of
from bylaw.dashboard.visit import Visit

_LONGEST_QUESTION: Final = 300
_MOST_NEAR: Final = 4
_MOST_TRIED: Final = 40  # recorded decisions
# What a version says, and a check is asked about.
_CONTENT: Final = (
    "name", "description", "topic", "rules", "conditions", "risk", "action", "on_indeterminate", "mask",
    "evaluator",
)  # fmt: skip
_APPROVERS: Final = frozenset({"OWNER", "ADMINISTRATORS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A policy under review.

    `version` is the one that waits, or the newest; `written` are it and those since the approved one;
    `finding` is what the learning loop found, empty for what a person wrote; `people` are those that the
    person who looks may know of.
    """

    policy: Item
    etag: str
    written: Sequence[Item]
    people: Sequence[Item]
    is_separate: bool
    change: Item = field(default_factory=dict)
    finding: Item = field(default_factory=dict)
    near: Sequence[Item] = ()

    @property
    def version(self) -> Item:
        """What waits."""
        return self.written[0]

    @property
    def waits(self) -> bool:
        """Whether anybody has to decide."""
        return is_waiting(self.policy)

    @property
    def workspace_id(self) -> str | None:
        """The workspace that it is for, None for the whole organisation."""
        return cast("str | None", self.policy["workspace_id"])

    def is_own(self, visit: Visit) -> bool:
        """Return whether the person who looks wrote any of what waits."""
        return any(each["author"] == visit.who["actor"] for each in self.written)

    def is_barred(self, visit: Visit) -> bool:
        """Return whether somebody else has to approve, since nobody approves their own edit there."""
        return self.is_separate and self.is_own(visit)


def is_waiting(policy: Item) -> bool:
    """Return whether a policy, or an edit of it, waits for review."""
    return policy["status"] == "pending_review" or policy["pending"] is not None


async def change_of(visit: Visit, policy: Item) -> Item:
    """Return what an edit that waits changes, nothing for a new policy."""
    if policy["pending"] is None:
        return {}
    versions = {"old": str(policy["approved"]), "new": str(policy["pending"])}
    return await visit.get(f"/v1/policies/{policy['id']}/diff", **versions)


async def read_case(visit: Visit, policy_id: str) -> Case:
    """Return a policy with all that a reviewer needs. Raises: Refused."""
    path = f"/v1/policies/{policy_id}"
    found = await visit.ask("GET", path)
    policy = cast("Item", found.data)
    versions = items(await visit.get(f"{path}/versions", limit="50"), "data")
    approved = cast("int", policy["approved"] or 0)
    written = [each for each in versions if cast("int", each["number"]) > approved] or versions[:1]
    return Case(
        policy=policy,
        etag=found.etag,
        written=written,
        people=await people_of(visit, cast("str | None", policy["workspace_id"])),
        is_separate=await _is_separate(visit, policy),
        change=await change_of(visit, policy),
        finding=await _finding(visit, policy),
        near=await _near(visit, policy, written[0]),
    )


def approvers(case: Case) -> list[str]:
    """Return the names of people who may approve what waits, as far as one may know them."""
    wrote = {each["author"] for each in case.written}
    others = (each for each in case.people if f"user:{each['id']}" not in wrote)
    return [
        full_name(each)
        for each in others
        if each["org_role"] in _APPROVERS
        or part(each, "workspace_roles").get(case.workspace_id or "") == "ADMIN"
    ]


async def tried(visit: Visit, case: Case) -> Item | None:
    """Return what the waiting version says of the newest recorded decisions, None where nobody may ask."""
    try:
        requests = await _recorded(visit, case)
        content = {name: case.version[name] for name in _CONTENT}
        asked = {**content, "policy_id": case.policy["id"], "examples": list(requests.values())}
        checked = await visit.send("POST", "/v1/policies:check", asked)
    except Refused as refused:
        if refused.status not in HIDDEN | {422}:
            raise
        return None
    came = items(checked, "examples")
    return {
        "asked": len(came),
        "violated": [each for each in came if each["came_to"] == "violate"],
        "undecided": sum(each["came_to"] in {"undecided", "unusable"} for each in came),
        "passed": sum(each["came_to"] == "pass" for each in came),
        "apart": sum(each["came_to"] == "does_not_apply" for each in came),
    }


async def _recorded(visit: Visit, case: Case) -> Mapping[str, Item]:
    """Return what was asked lately where the policy would hold, by receipt, as examples to be tried."""
    where = case.workspace_id
    query = {"kind": "decision", "limit": str(_MOST_TRIED), "workspace_id": where}
    found: dict[str, Item] = {}
    for receipt in items(await visit.get("/v1/receipts", **query), "data"):
        ident = str(receipt["id"])
        body = await visit.find(f"/v1/receipts/{ident}/body")
        request = next(
            (part(each, "content") for each in items(body, "parts") if each["name"] == "request"), {}
        )
        if request:
            found[ident] = {"name": ident, "expect": "pass", "request": request}
    return found


async def _finding(visit: Visit, policy: Item) -> Item:
    """Return what the learning loop found of which a policy was made, empty where that cannot be read."""
    conversation_id = part(policy, "source").get("conversation_id")
    if not conversation_id or not visit.may("conversations:read"):
        return {}
    found = await visit.find(f"/v1/conversations/{conversation_id}")
    return next((each for each in items(found, "learnt") if each["policy_id"] == policy["id"]), {})


async def _near(visit: Visit, policy: Item, version: Item) -> Sequence[Item]:
    """Return other policies that say something near to what waits, as a search by meaning finds them."""
    rules = items(version, "rules")
    question = " ".join(str(each.get("text") or each.get("message") or "") for each in rules).strip()
    question = (question or str(version["name"]))[:_LONGEST_QUESTION]
    found = await visit.get("/v1/policies", q=question, limit=str(_MOST_NEAR + 1))
    others = [each for each in items(found, "data") if each["id"] != policy["id"]]
    return others[:_MOST_NEAR]


async def _is_separate(visit: Visit, policy: Item) -> bool:
    """Return whether nobody approves their own edit where a policy holds."""
    if policy["workspace_id"] is None:
        return False
    found = await visit.find(f"/v1/workspaces/{policy['workspace_id']}")
    return found.get("separate_approvers") is True
