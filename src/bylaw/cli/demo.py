"""`bylaw demo`: the whole story on a temporary server, with no network and no key."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec

import bylaw
from bylaw.api.native.pack_views import PacksToApply
from bylaw.cli.decide import COLOURS
from bylaw.cli.policies import ServerTarget, as_sent
from bylaw.cli.remote import Remote
from bylaw.cli.verify import headline
from bylaw.core.errors import Unavailable
from bylaw.decisions.explain import Explanation
from bylaw.decisions.model import Decision
from bylaw.policies.packs.load import load_folder
from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust
from bylaw.receipts.verify import verify as verify_file

STARTER: Final = Path(bylaw.__file__).parent / "policies" / "shipped" / "starter"

Asked = tuple[str, dict[str, object]]


def _pay(amount: int, agent: str = "accounts-payable", **metadata: object) -> dict[str, object]:
    return {
        "agent_id": agent,
        "phase": "tool_call",
        "tool_call": {"name": "pay_invoice", "arguments": {"invoice": "2026-1107", "amount": amount}},
        "tools_used": ["vendor_lookup", "policy_check"],
        "metadata": metadata,
    }


DISCOUNT: Final[Mapping[str, object]] = {
    "agent_id": "sales",
    "phase": "tool_call",
    "tool_call": {
        "name": "give_discount",
        "arguments": {"percent": 40, "reason": "The delivery was late"},
    },
    "metadata": {"customer_tier": "silver"},
}
ASKED: Final[tuple[Asked, ...]] = (
    ("A small invoice of an approved vendor", _pay(120, vendor_status="approved")),
    ("The same agent, a large invoice", _pay(7200, vendor_status="approved")),
    ("Nobody looked up the vendor: a missing fact never passes", _pay(120)),
    (
        "The agent of the night shift has a limit of its own",
        _pay(2400, "night-shift", vendor_status="approved"),
    ),
    ("A discount that a person must approve", dict(DISCOUNT)),
    (
        "A customer threatens to sue",
        {"agent_id": "inbox", "phase": "input", "user_intent": "Refund me, or my lawyer will write to you."},
    ),
    (
        "An answer that gives an address away",
        {"agent_id": "inbox", "phase": "output", "agent_output": "Just write to maria.lopez@example.com."},
    ),
)
NIGHT_SHIFT: Final[Mapping[str, object]] = {
    "name": "Night shift pays small invoices only",
    "reach": "bound",
    "action": "review",
    "rules": [
        {
            "type": "deterministic",
            "id": "night-limit",
            "expr": 'tool_call.name != "pay_invoice" || tool_call.arguments.amount < 1000',
            "message": "At night, 1,000 and more waits for the morning.",
        }
    ],
}


class _Made(msgspec.Struct, frozen=True):
    id: str
    key: str = ""


@click.command("demo", epilog="\b\nExample:\n  bylaw demo")
def demo() -> int:
    """Run the whole story on a temporary server: apply, decide, approve, verify, tamper, get caught."""
    with tempfile.TemporaryDirectory(prefix="bylaw-demo-") as made:
        folder = Path(made)
        with _server(folder / "data") as admin:
            agents = _apply(admin)
            decided = [_decide(agents, title, request) for title, request in ASKED]
            _explain(admin, decided[1])
            _approve(admin, agents, decided[4])
            bundles = _keep(admin, folder, [each.receipt_id for each in decided if each.receipt_id])
        return _verify(folder, bundles)


@contextmanager
def _server(data: Path) -> Iterator[Remote]:
    """Start the real server on a free port, and stop it afterwards."""
    _title("A server starts on an empty directory")
    key = "ak_live_" + secrets.token_hex(16)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BYLAW_")}
    command = [
        sys.executable,
        "-m",
        "bylaw",
        "serve",
        "--port",
        "0",
        "--data",
        str(data),
        "--access-log",
        "off",
    ]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environ, "BYLAW_ADMIN_KEY": key},
        text=True,
    )
    try:
        first = process.stdout.readline() if process.stdout else ""
        url = first.strip().rpartition(" ")[2]
        if not url.startswith("http"):
            said = process.stderr.read() if process.stderr else ""
            raise Unavailable(f"The demo's server did not start: {first}{said}".strip())
        click.echo(f"  {url}, everything in {data}")
        yield Remote(url, key)
    finally:
        process.terminate()
        process.communicate()


def _apply(server: Remote) -> Remote:
    """Apply the pack, bind an agent, and return the server as agents reach it: with a key of their own."""
    _title("A pack of policies is applied, and one agent gets a policy of its own")
    _command("bylaw test", STARTER)
    _command("bylaw policies apply", STARTER)
    done = ServerTarget(remote=server).apply(PacksToApply(documents=as_sent(load_folder(STARTER))))
    for policy in done.policies:
        click.echo(f"  {policy.slug}: version {policy.version}")
    night = server.send("POST", "/v1/policies", NIGHT_SHIFT, _Made)
    server.request("POST", "/v1/agents", {"id": "night-shift", "name": "Night shift", "require_policy": True})
    server.request("PUT", "/v1/bindings/night-shift", {"policy_id": night.id})
    click.echo(f"  agent night-shift is bound to {night.id}")
    agents = server.send("POST", "/v1/keys", {"name": "agents", "scopes": ["decisions:write"]}, _Made)
    click.echo("  the agents get a key that asks for decisions and does nothing else")
    return server.with_key(agents.key)


def _decide(server: Remote, title: str, request: Mapping[str, object]) -> Decision:
    _title(title)
    decision = server.send("POST", "/v1/decisions", request, Decision)
    _say(decision)
    return decision


def _say(decision: Decision) -> None:
    click.echo("  " + click.style(decision.outcome.upper(), fg=COLOURS[decision.outcome], bold=True))
    for reason in decision.reasons:
        click.echo(f"    {reason}")
    for policy in decision.policies:
        for rule in policy.rules:
            for quote in rule.evidence:
                click.echo(f"    quoted as evidence: {quote!r}")
    click.echo(f"    receipt {decision.receipt_id}, decided in {decision.duration_us} µs")


def _explain(admin: Remote, blocked: Decision) -> None:
    _title("What would have changed the large invoice's outcome?")
    for change in admin.get(f"/v1/decisions/{blocked.receipt_id}/explain", Explanation).changes:
        click.echo(f"  {change.path} at {change.then} instead of {change.now}: {change.outcome}")


def _approve(admin: Remote, agents: Remote, held: Decision) -> None:
    approval = next(each.id for each in held.obligations if each.kind == "approval")
    _title("A person approves exactly that call, once")
    admin.request("POST", f"/v1/approvals/{approval}/approve", {"reason": "A good customer"})
    exact = {**DISCOUNT, "approval_id": approval}
    larger = {"name": "give_discount", "arguments": {"percent": 90, "reason": "The delivery was late"}}
    _decide(agents, "A larger discount is not what was approved", {**exact, "tool_call": larger})
    _decide(agents, "The very call that was approved", exact)
    _decide(agents, "The same once more: an approval is spent once", exact)


def _keep(server: Remote, folder: Path, receipts: list[str]) -> list[Path]:
    _title("The receipts are kept as files, and the server is stopped")
    (folder / "keys.json").write_bytes(server.request("GET", "/.well-known/jwks.json"))
    kept = []
    for ident in receipts:
        path = folder / f"{ident}.json"
        path.write_bytes(server.request("GET", f"/v1/receipts/{ident}/bundle"))
        kept.append(path)
    click.echo(f"  {len(kept)} bundles and the issuer's public keys")
    return kept


def _verify(folder: Path, bundles: list[Path]) -> int:
    _title("Anyone can verify them now, offline")
    _command("bylaw verify --keys keys.json", *[bundles[0].name, "…"])
    trust = Trust(keys=key_set((folder / "keys.json").read_bytes()), kept=())
    statuses = set()
    for path in bundles:
        found = verify_file(path.read_bytes(), trust)
        statuses.add(found.status)
        click.echo(f"  {path.stem}: {headline(found.status)}")
    _title("Somebody turns a block into an allow")
    blocked = bundles[1].read_bytes()
    forged = blocked.replace(b'\\"outcome\\":\\"block\\"', b'\\"outcome\\":\\"allow\\"')
    found = verify_file(forged, trust)
    click.echo(f"  {bundles[1].stem}: {headline(found.status)}")
    for step in found.steps:
        if step.result == "fail":
            click.echo(f"    step {step.number}, {step.name}: {step.reason}")
    caught = forged != blocked and found.status == "invalid"
    return 0 if statuses == {"verified"} and caught else 1


def _title(text: str) -> None:
    click.echo("\n" + click.style(text, bold=True))


def _command(command: str, *parts: object) -> None:
    click.echo(click.style(f"  $ {command} " + " ".join(map(str, parts)), dim=True))
