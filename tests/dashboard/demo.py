"""Northwind after two weeks with Bylaw: what `bylaw demo` does, by people and over days, for pictures."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bylaw import settings
from bylaw.app.worker import join_worker
from bylaw.cli.demo import ASKED, DISCOUNT, NIGHT_SHIFT, STARTER
from bylaw.cli.policies import as_sent
from bylaw.core.clock import DAY_MS, MINUTE_MS
from bylaw.core.ids import Ids
from bylaw.policies.packs.load import load_folder
from tests.dashboard.serving import Site, serving
from tests.notify.receiver import Receiver, receiving

PASSWORDS: Final = {
    "mara@northwind.example": "seven grey herons",
    "jonas@northwind.example": "four slow brown owls",
}
MARA, JONAS = PASSWORDS
DAYS: Final = 14
# How often each question of the demo is asked on each day.
_BUSY: Final = (
    (3, 1, 0, 0, 0, 1, 0),
    (4, 0, 1, 1, 0, 0, 1),
    (6, 2, 0, 0, 1, 1, 0),
    (5, 1, 0, 1, 0, 0, 0),
    (2, 0, 0, 0, 0, 1, 0),
    (1, 0, 0, 1, 0, 0, 0),
    (6, 3, 1, 0, 0, 1, 1),
    (7, 1, 0, 2, 0, 2, 0),
    (5, 2, 1, 0, 1, 0, 1),
    (8, 1, 0, 1, 0, 1, 0),
    (6, 2, 1, 1, 0, 0, 1),
    (3, 0, 0, 0, 0, 1, 0),
    (2, 1, 0, 1, 0, 0, 0),
    (6, 2, 1, 1, 0, 1, 1),
)
_FIND: Final = {"id": "t1", "name": "find_order", "arguments": {"order": "F-118"}}
_TALKS: Final = (
    {
        "id": "4711",
        "contact_name": "A customer",
        "outcome": "Refunded by mistake.",
        "messages": [
            {"role": "user", "content": "Can I have my money back before I send the lamp?"},
            {"role": "assistant", "content": "I have refunded it right away."},
            {"role": "human", "content": "No, we never refund before the return has arrived."},
            {"role": "user", "content": "Fine, I will post it tomorrow."},
        ],
    },
    {
        "id": "4718",
        "messages": [
            {"role": "user", "content": "Use my second voucher too."},
            {"role": "assistant", "tool_calls": [_FIND]},
            {"role": "tool", "tool_call_id": "t1", "content": "On its way."},
            {"role": "assistant", "content": "I'm sorry, but vouchers cannot be combined."},
        ],
    },
    {
        "id": "4725",
        "messages": [
            {"role": "user", "content": "I have two vouchers, please take both."},
            {"role": "assistant", "content": "I'm sorry, but vouchers cannot be combined."},
        ],
    },
)  # fmt: skip


@dataclass(frozen=True)
class Firm:
    """A server on which people have worked, and the ids of what pictures show."""

    site: Site
    hook: Receiver
    folder: Path
    ids: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, email: str) -> str:
        """Sign in as somebody, and return who makes requests as them."""
        said = {"email": email, "password": PASSWORDS[email]}
        made = await self.site.world.make("/v1/sign-in", said, None)
        self.site.world.keys[email] = made["session"]
        return email

    async def ask(self, request: Mapping[str, object], workspace: str | None = "operations") -> dict:
        """Have an agent ask for a decision, a minute later."""
        self.site.clock.ahead_ms += MINUTE_MS
        return await self.site.world.make("/v1/decisions", {**request, "workspace_id": workspace}, "agents")

    async def work(self) -> None:
        """Do what waits for a worker."""
        given, stores = _given(self.folder), self.site.world.app.stores
        options = {"clock": self.site.clock, "ids": Ids(self.site.clock)}
        async with join_worker(given, stores.control, stores.secret_file, **options) as worker:
            await worker.run_until_idle()


def _given(folder: Path) -> settings.Settings:
    return settings.build(data=folder, outgoing="any")


@asynccontextmanager
async def northwind(folder: Path) -> AsyncIterator[Firm]:
    """Serve what two people, five agents and a worker have left behind until now."""
    given = _given(folder)
    async with receiving() as hook, serving(folder, given=given, behind_ms=DAYS * DAY_MS) as site:
        firm = Firm(site, hook, folder)
        await _set_up(firm)
        await _write(firm)
        await _register(firm)
        for day, counts in enumerate(_BUSY):
            await _spend(firm, day, counts)
        await _learn(firm)
        await _leave(firm)
        yield firm


async def _set_up(firm: Firm) -> None:
    """Mara makes the organisation and its workspaces, and Jonas joins."""
    make = firm.site.world.make
    person = {"name": "Mara Winter", "email": MARA, "password": PASSWORDS[MARA]}
    begun = await make("/v1/setup", {"organisation": "Northwind", **person}, "operator")
    firm.site.world.keys[MARA] = begun["session"]
    await make("/v1/workspaces", {"id": "finance", "name": "Finance", "separate_approvers": True}, MARA)
    await make("/v1/workspaces", {"id": "operations", "name": "Operations"}, MARA)
    repo = await make("/v1/workspaces/operations/repos", {"name": "Shop"}, MARA)
    jonas = await make("/v1/users", {"name": "Jonas", "last_name": "Berg", "email": JONAS}, MARA)
    for workspace in ("finance", "operations"):
        place = f"/v1/users/{jonas['id']}/workspaces/{workspace}"
        await make(place, {"role": "ADMIN"}, MARA, "PUT")
    link = await make(f"/v1/users/{jonas['id']}/invitation", {}, MARA)
    await make("/v1/password", {"token": link["token"], "password": PASSWORDS[JONAS]}, None)
    await firm.sign_in(JONAS)
    agents = {"name": "agents", "scopes": ["decisions:write"]}
    key = await make("/v1/keys", agents, MARA)
    firm.site.world.keys["agents"] = key["key"]
    told = {
        "url": firm.hook.url.split("?")[0],
        "types": ["policy.*", "approval.*"],
        "description": "Chat of the team",
    }
    webhook = await make("/v1/webhooks", told, MARA)
    models = {"workspace_id": "operations", "name": "models", "provider": "openai", "key": "sk-" + "0" * 24}
    connection = await make("/v1/connections", models, MARA)
    firm.ids.update(
        workspace_id="operations", repo_id=repo["id"], user_id=jonas["id"], key_id=key["id"],
        webhook_id=webhook["id"], connection_id=connection["id"],
    )  # fmt: skip


async def _write(firm: Firm) -> None:
    """The demo's policies come into force, and some of their own."""
    make = firm.site.world.make
    place = {"defaults": {"place": {"workspace": "operations"}}}
    files = as_sent(load_folder(STARTER))
    documents = [{"file": each.file, "document": {**each.document, **place}} for each in files]
    await make("/v1/packs/apply", {"documents": documents, "reason": "Agreed with the auditors."}, MARA)
    night = {**NIGHT_SHIFT, "topic": "invoices"}
    limit = dict(NIGHT_SHIFT["rules"][0])
    looser = {
        **limit,
        "expr": limit["expr"].replace("1000", "3000"),
        "message": "At night, 3,000 and more waits.",
    }
    made = await make("/v1/policies", {**night, "rules": [looser], "reason": "A limit for the night."}, MARA)
    firm.ids["policy_id"] = made["id"]
    reply = {
        "name": "Answers promise no delivery date",
        "topic": "delivery",
        "workspace_id": "operations",
        "risk": "LOW",
        "action": "alert",
        "conditions": {"phase": "output"},
        "rules": [{"text": "Flag any output that mentions 'guaranteed delivery' or 'arrives tomorrow'."}],
    }
    await make("/v1/policies", reply, JONAS)
    firm.site.clock.ahead_ms += 50 * MINUTE_MS


async def _register(firm: Firm) -> None:
    """Five agents are registered; nothing governs the last."""
    make = firm.site.world.make
    bound = {"policy_id": firm.ids["policy_id"], "require_policy": True}
    for ident, name, place in (
        ("accounts-payable", "Accounts payable", {"workspace_id": "operations"}),
        ("sales", "Sales desk", {"workspace_id": "operations"}),
        ("inbox", "Mail of customers", {"workspace_id": "operations"}),
        ("night-shift", "Night shift", {"workspace_id": "operations", **bound}),
        ("translator", "Translator", {}),
    ):
        await make("/v1/agents", {"id": ident, "name": name, **place}, MARA)
    firm.ids["agent_id"] = "night-shift"


async def _spend(firm: Firm, day: int, counts: tuple[int, ...]) -> None:
    """The agents ask through one day, and people do what they did on it."""
    clock = firm.site.clock
    if day == DAYS // 2:
        await firm.sign_in(MARA)
        edit = {"rules": NIGHT_SHIFT["rules"], "reason": "Two wrong payments last week."}
        await firm.site.world.make(f"/v1/policies/{firm.ids['policy_id']}", edit, MARA, "PATCH")
    for (_, asked), count in zip(ASKED, counts, strict=True):
        for _ in range(count):
            made = await firm.ask(asked)
            await _answer(firm, asked, made)
    await firm.work()
    passed = (day + 1 - DAYS) * DAY_MS
    clock.ahead_ms = max(clock.ahead_ms, min(passed, 0))


async def _answer(firm: Firm, asked: Mapping[str, object], made: dict) -> None:
    """Mara approves a discount as soon as it waits, and the agent makes its call again."""
    wanted = [each["id"] for each in made.get("obligations", ()) if each["kind"] == "approval"]
    if not wanted or asked["agent_id"] != DISCOUNT["agent_id"]:
        return
    firm.site.clock.ahead_ms += 7 * MINUTE_MS
    await firm.sign_in(MARA)
    await firm.site.world.make(f"/v1/approvals/{wanted[0]}/approve", {"reason": "A good customer."}, MARA)
    await firm.ask({**DISCOUNT, "approval_id": wanted[0]})


async def _learn(firm: Firm) -> None:
    """Operations brings conversations, and the worker finds what they show."""
    make = firm.site.world.make
    await firm.sign_in(JONAS)
    brought = {"workspace_id": "operations", "conversations": _TALKS}
    await make("/v1/conversations/import", brought, JONAS)
    await firm.work()
    await make("/v1/learning/runs", {"workspace_id": "operations"}, JONAS)
    await firm.work()
    runs = (await firm.site.world.send(JONAS, "GET", "/v1/learning/runs?workspace_id=operations")).json()[
        "data"
    ]
    waits = (await firm.site.world.send(JONAS, "GET", "/v1/policies?waits=true")).json()["data"]
    learnt = next(each for each in waits if "refund" in each["name"])
    firm.ids.update(run_id=runs[-1]["id"], conversation_id="operations:4711", learnt_id=learnt["id"])


async def _leave(firm: Firm) -> None:
    """What happened in the last hour, and waits."""
    make, clock = firm.site.world.make, firm.site.clock
    clock.ahead_ms = -50 * MINUTE_MS
    await firm.sign_in(MARA)
    rules = [{"text": "Never call transfer_money with amount over 100."}]
    large = {
        "name": "No large transfers",
        "workspace_id": "finance",
        "rules": rules,
        "reason": "As the auditors ask.",
    }
    await make("/v1/policies", large, MARA)
    await firm.ask({"agent_id": "translator", "phase": "output", "agent_output": "Guten Tag!"}, None)
    blocked = await firm.ask(ASKED[1][1])
    held = await firm.ask(DISCOUNT)
    threat = await firm.ask(ASKED[5][1])
    firm.hook.status = 503
    refused = {
        **DISCOUNT,
        "tool_call": {"name": "give_discount", "arguments": {"percent": 60, "reason": "He asked"}},
    }
    other = next(
        each["id"] for each in (await firm.ask(refused))["obligations"] if each["kind"] == "approval"
    )
    await make(f"/v1/approvals/{other}/refuse", {"reason": "Asking is no reason."}, MARA)
    await firm.work()
    clock.ahead_ms = 0
    await firm.sign_in(MARA)
    path = f"/v1/webhooks/{firm.ids['webhook_id']}/deliveries"
    deliveries = (await firm.site.world.send(MARA, "GET", path)).json()["data"]
    jobs = (await firm.site.world.send(MARA, "GET", "/v1/jobs")).json()["data"]
    wanted = {each["kind"]: each["id"] for made in (threat, held) for each in made["obligations"]}
    firm.ids.update(
        receipt_id=blocked["receipt_id"], approval_id=wanted["approval"], attention_id=wanted["attention"],
        delivery_id=deliveries[0]["id"], job_id=jobs[0]["id"],
    )  # fmt: skip
