"""The rows that long lists are read from: a year of one tenant, made by the product's own row functions.

`rows` yields them table by table, as the databases hold them. Everything follows from the number of a row,
so every database gets the same.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from bylaw.core.clock import DAY_MS
from bylaw.core.ids import AgentId, PolicyId, RepoId, TenantId, UserId, WorkspaceId
from bylaw.learning.model import ConversationId
from bylaw.policies.model import Content, NaturalRule, Version, search_text, topic_key
from bylaw.policies.searching import pieces_of
from bylaw.storage import rows as stored
from bylaw.tenancy.model import Place
from tests.contracts import values

TENANT = TenantId("default")
YEAR_MS = 365 * DAY_MS
WORKSPACES, REPOS, USERS, AGENTS, KEYS, MODELS, GOVERNING = 20, 1_000, 200, 500, 20, 12, 50
BUSY, BURST = 100, 20  # repos in which something happens, and how much in a row
TEXTS, LONG = 4_000, 7
SAYINGS = (
    "Escalate to a person when the customer is angry.",
    "Never promise a refund above the limit of the order.",
    "Verify the identity of the caller before a change of address.",
    "Do not share personal data with anybody who is not the account holder.",
    "Answer in the language of the customer.",
    "Offer a replacement before a refund for damaged goods.",
    "Confirm the amount and the account before a payment.",
    "Legal threats go to the legal team at once.",
)
TOPICS = ("escalation", "refunds", "verification", "privacy", "tone", "damaged goods", "payments", "legal")

Table = tuple[str, tuple[str, ...], Iterable[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many there are."""

    policies: int
    violations: int


def rows(sizes: Sizes, now_ms: int) -> Iterator[Table]:
    """Yield the name, the columns and the rows of each table, referred-to ones first."""
    yield _table("workspaces", map(_workspace, range(WORKSPACES)))
    yield _table("repos", map(_repo, range(REPOS)))
    yield _table("users", map(_user, range(USERS)))
    yield _table("agents", map(_agent, range(AGENTS)))
    contents = list(_contents())
    yield _table("policies", (_policy(n, sizes.policies, now_ms) for n in range(1, sizes.policies + 1)))
    yield _table("versions", (_version(n, contents, now_ms) for n in range(1, sizes.policies + 1)))
    spelled = [_spelled(content) for content in contents]
    known = sorted({word for words in spelled for word, _ in words})
    yield _table("vocabulary", ({"tenant_id": TENANT, "word": word} for word in known))
    names = ("tenant_id", "word", "workspace_id", "policy_id", "part")
    yield "words", names, (row for n in range(1, sizes.policies + 1) for row in _words(n, spelled))
    tenth, half = sizes.violations // 10, sizes.violations // 2
    yield _table("conversations", (_conversation(n, tenth, now_ms) for n in range(tenth)))
    yield _table("events", (_event(n, tenth, now_ms) for n in range(tenth)))
    yield _left("violations", values.violation, sizes.violations, now_ms)
    yield _left("alerts", values.alert, half, now_ms)
    yield _left("evaluations", values.evaluation, half, now_ms)
    yield _left("attention", values.attention, tenth, now_ms)
    yield _left("approvals", values.approval, tenth, now_ms)


def _table(name: str, found: Iterable[dict[str, object]]) -> Table:
    found = iter(found)
    first = next(found)
    names = tuple(first)
    return name, names, ((tuple(map(_plain, row.values()))) for row in _chain(first, found))


def _chain(first: dict[str, object], rest: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    yield first
    yield from rest


def _plain(value: object) -> object:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list | tuple) else value


def place(n: int) -> Place:
    """Where policy `n` holds: nine of ten in a repo, the rest in a workspace, some everywhere."""
    repo = n % REPOS
    workspace = WorkspaceId(f"w{repo % WORKSPACES}")
    if n % 10_000 >= 9_990:
        return Place()
    if n // REPOS % 10 == 0:
        return Place(workspace_id=workspace)
    return Place(workspace_id=workspace, repo_id=RepoId(f"r{repo}"))


def _workspace(n: int) -> dict[str, object]:
    return stored.to_row(values.workspace(TENANT, id=WorkspaceId(f"w{n}")))


def _repo(n: int) -> dict[str, object]:
    workspace = WorkspaceId(f"w{n % WORKSPACES}")
    return stored.to_row(values.repo(TENANT, id=RepoId(f"r{n}"), workspace_id=workspace))


def _user(n: int) -> dict[str, object]:
    return stored.user_row(values.user(TENANT, id=UserId(f"u{n}")))


def _agent(n: int) -> dict[str, object]:
    return stored.to_row(values.agent(TENANT, id=AgentId(f"a{n}")))


def _contents() -> Iterator[Content]:
    """Texts of a few sentences each: the sayings, and words that become seldom (Zipf)."""
    chance = random.Random(7)
    sounds = [f"{a}{b}" for a in "bcdfglmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "ist")]
    made = ["".join(chance.choices(sounds, k=chance.randint(2, 4))) for _ in range(20_000)]
    odds = [1 / rank for rank in range(1, len(made) + 1)]
    for n in range(TEXTS):
        rules = []
        for at in range(1 + n % 3):
            said = " ".join(chance.choices(made, odds, k=14))
            rules.append(NaturalRule(id=f"r{at}", text=f"{SAYINGS[(n + at * 3) % 8]} {said.capitalize()}."))
        topic = TOPICS[n % 8] if n % 40 else f"topic {n}"
        yield Content(
            name=f"Policy {n}", topic=topic, rules=tuple(rules), risk=("LOW", "MEDIUM", "HIGH")[n % 3]
        )


def seldom() -> str:
    """Return a word that one in five hundred policies has."""
    texts = [set(pieces_of(search_text(content))) for content in _contents()]
    held = Counter(word for text in texts for word in text if len(word) > LONG)
    return min(held, key=lambda word: (abs(held[word] - TEXTS // 500), word))


def _policy(n: int, policies: int, now_ms: int) -> dict[str, object]:
    status = {0: "pending_review", 1: "rejected", 2: "archived", 3: "archived"}.get(n // 13 % 20, "approved")
    approved = None if status in {"pending_review", "rejected"} else 1
    at_ms = now_ms - YEAR_MS + n * (YEAR_MS // policies)
    made = values.policy(
        TENANT, id=PolicyId(f"pol-{n}"), place=place(n), status=status, approved=approved,
        created_ms=at_ms, updated_ms=at_ms,
    )  # fmt: skip
    return stored.policy_row(made)


def _version(n: int, contents: list[Content], now_ms: int) -> dict[str, object]:
    content = contents[n * 7919 % TEXTS]
    version = Version(
        policy_id=PolicyId(f"pol-{n}"), number=1, content=content, digest="sha256:00", author="ada",
        reason="", created_ms=now_ms - YEAR_MS,
    )  # fmt: skip
    return {"tenant_id": TENANT, **stored.version_row(version)}


def _spelled(content: Content) -> list[tuple[str, str]]:
    """Return the words of a text, each with the part that it is in."""
    parts = {"text": search_text(content), "topic": topic_key(content.topic or "")}
    return sorted((word, part) for part, text in parts.items() for word in pieces_of(text))


def _words(n: int, spelled: list[list[tuple[str, str]]]) -> Iterator[tuple[object, ...]]:
    workspace, policy = place(n).workspace_id or "", f"pol-{n}"
    for word, part in spelled[n * 7919 % TEXTS]:
        yield TENANT, word, workspace, policy, part


def _conversation(n: int, many: int, now_ms: int) -> dict[str, object]:
    made = values.conversation(
        TENANT, id=ConversationId(f"c{n}"), place=Place(workspace_id=WorkspaceId(f"w{n % WORKSPACES}")),
        contact_id=f"contact-{n % 5_000}", account_id=f"account-{n % 500}",
        created_ms=now_ms - YEAR_MS + n * (YEAR_MS // many),
    )  # fmt: skip
    return stored.conversation_row(made if n % 5 else replace(made, status="resolved", outcome="done"))


def _event(n: int, many: int, now_ms: int) -> dict[str, object]:
    made = values.event(
        number=n + 1_000, at_ms=now_ms - YEAR_MS + n * (YEAR_MS // many), ident=f"pol-{n % 1000}",
        who=f"u{n % USERS}", workspace_id=f"w{n % WORKSPACES}", entry_id=f"entry-{n}",
        noun=("policy", "user", "api_key")[n % 3],
    )  # fmt: skip
    return {**stored.to_row(made), "tenant_id": TENANT}


def _left(table: str, make, many: int, now_ms: int) -> Table:
    """Return what decisions left: one row of the product's, with the numbers of the others filled in."""
    names = ("receipt_id", "conversation_id", "workspace_id", "repo_id", "agent_id", "user_id", "key_id")
    names += ("model", "provider", "host")
    marks = {name: f"@{name}" for name in names}
    where = values.occasion(TENANT, at_ms=-7, **marks)
    given = {"id": "@id", "occasion": where}
    if table not in {"evaluations", "approvals"}:
        given["policy"] = values.snapshot(id="@policy", risk="LOW")
    if table == "approvals":
        given["policies"] = (values.snapshot(id="@policy"),)
    row = stored.left_row(make(TENANT, **given))
    item = json.dumps(row["item"], separators=(",", ":")).replace("%", "%%")
    item = item.replace('"at_ms":-7', '"at_ms":%(at_ms)d').replace('"@policy"', '"%(policy_id)s"')
    item = item.replace('"risk":"LOW"', '"risk":"%(risk)s"').replace('"block":true', '"block":%(said)s')
    item = item.replace('"status":"open"', '"status":"%(status)s"')
    item = item.replace('"status":"pending"', '"status":"%(status)s"')
    for name in (*names, "id"):
        item = item.replace(f'"@{name}"', f'"%({name})s"')
    columns = tuple(row)

    def made() -> Iterator[tuple[object, ...]]:
        for n in range(1, many + 1):
            told = _told(table, n, many, now_ms)
            told["item"] = item % told
            yield tuple([told.get(name, row[name]) for name in columns])

    return table, columns, made()


def _told(table: str, n: int, many: int, now_ms: int) -> dict[str, object]:
    burst = n // BURST  # one agent at work for one person
    repo = burst * 7919 % BUSY
    # A quarter of all is of one policy; the rest is spread over the others.
    policy = "pol-1" if n % 4 == 1 else f"pol-{2 + (burst * 3 + n % 2) * 104_729 % (GOVERNING - 1)}"
    closed = {"attention": "resolved", "approvals": "approved"}.get(table, "")
    opened = {"attention": "open", "approvals": "pending"}.get(table, "")
    return {
        "id": f"{table}-{n:08}",
        "at_ms": now_ms - YEAR_MS + n * (YEAR_MS // many),
        "receipt_id": f"rcpt_{n}",
        "conversation_id": f"c{n // 10}",
        "workspace_id": f"w{repo % WORKSPACES}",
        "repo_id": f"r{repo}",
        "agent_id": f"a{burst * 611_953 % AGENTS}",
        "policy_id": policy,
        "policy_ids": f'\n"{policy}"\n',
        "user_id": f"u{burst * 1_299_709 % USERS}",
        "key_id": f"k{burst * 15_485_863 % KEYS}",
        "model": f"m{burst * 32_452_843 % MODELS}",
        "provider": ("openai", "anthropic", "google", "mistral")[n * 31 % 4],
        "host": f"host-{n * 17 % 10}.example",
        "risk": ("LOW", "MEDIUM", "HIGH")[n % 3],
        "block": n % 5 == 0,
        "said": "true" if n % 5 == 0 else "false",
        "status": opened if n % 50 == 0 else closed,
        "type": "policy_review",
        "expires_ms": now_ms + DAY_MS,
    }


def hours(now_ms: int) -> Iterator[tuple[object, ...]]:
    """Yield the hours in which there is something, as rows that say that their sums do not hold."""
    first = (now_ms - YEAR_MS) // 3_600_000
    for hour in count(first):
        if hour * 3_600_000 > now_ms:
            return
        yield TENANT, hour * 3_600_000, 1
