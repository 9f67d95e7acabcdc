"""The public page `/r`: anybody pastes the id of a receipt, or follows its `verify_url`, and sees how it is.

Plain HTML without a script. It shows what verification finds and nothing of what was asked or decided.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from bylaw.api.parts import Parts
from bylaw.api.route import Route, anyone
from bylaw.api.verifying import Checked, checked
from bylaw.core.clock import rfc3339
from bylaw.core.errors import NotFound
from bylaw.core.ids import ReceiptId

router = APIRouter(tags=["receipts"], route_class=Route)

Found = Literal["verified", "mismatched", "anchoring"]
Anyone = Annotated[Parts, anyone()]

_TITLES: Final[dict[Found, str]] = {
    "verified": "Fully verified",
    "mismatched": "Mismatched",
    "anchoring": "Anchoring in progress",
}
_MEANINGS: Final[dict[Found, str]] = {
    "verified": "This receipt is what was issued, it is in the log, and the log is signed.",
    "mismatched": "Something about this receipt is not as it was issued. Do not rely on it.",
    "anchoring": "This receipt is not yet under a signed checkpoint. Look again in a moment.",
}
_PROVES: Final = """<h2>What this proves</h2>
<p>That the receipt, the request and the decision are those that were recorded, by the key of this server. Not
that the output was right, that somebody wanted it, or that what the agent said of itself is true. The log is
this server's own and no independent evidence: keep its checkpoints, and verify a bundle offline with
<code>bylaw verify</code> to trust nobody.</p>
"""
_SHOWN: Final = 64
_SAID: Final = {True: "passed", False: "failed", None: "not there to check"}


class Page(Response):
    """A page of HTML that loads nothing, runs nothing and is framed by nobody."""

    media_type = "text/html"

    def __init__(self, title: str, body: str, *, status: int = 200) -> None:
        style = _style()
        hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; style-src 'sha256-{hashed}'; form-action 'self'; base-uri 'none';"
            " frame-ancestors 'none'"
        )
        super().__init__(
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="color-scheme" content="light dark">\n'
            f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
            f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
            status_code=status,
            headers={"content-security-policy": policy, "referrer-policy": "no-referrer"},
        )


class Wanted(BaseModel):
    """Which receipt is looked for."""

    model_config = ConfigDict(frozen=True)

    id: str = ""


@router.get("/r")
async def verification_form(parts: Anyone, query: Annotated[Wanted, Query()]) -> Page:
    """Show where to paste the id of a receipt, and what became of the one that was."""
    ident = query.id.strip()
    form = _form(ident, action="r")
    return await _page(parts, ident, form=form, missing=200) if ident else Page("Verify a receipt", form)


@router.get("/r/{receipt_id}")
async def verification_page(parts: Anyone, receipt_id: ReceiptId) -> Page:
    """Show whether a receipt is in order."""
    return await _page(parts, receipt_id, form=_form(receipt_id, action="../r"), missing=404)


async def _page(parts: Parts, ident: str, *, form: str, missing: int) -> Page:
    try:
        found = await checked(parts, ReceiptId(ident))
    except NotFound:
        said = f"There is no receipt <code>{escape(ident[:_SHOWN])}</code> here: see that the id is whole."
        body = form + _box("mismatched", "No such receipt", said)
        return Page("No such receipt", body, status=missing)
    return Page(_TITLES[outcome_of(found)], form + _result(found))


def outcome_of(found: Checked) -> Found:
    """Return which of the three outcomes checking a receipt came to."""
    if found.anchor_status == "pending":
        return "anchoring"
    return "verified" if found.status == "verified" else "mismatched"


def _form(ident: str, *, action: str) -> str:
    """Return where to paste an id; `action` leads to this page from wherever a proxy shows it."""
    return (
        f'<h1>Verify a receipt</h1>\n<form action="{action}" method="get">\n'
        '<label for="id">Receipt id</label>\n'
        f'<input id="id" name="id" value="{escape(ident[:_SHOWN])}" placeholder="rcpt_…" required'
        f' maxlength="{_SHOWN}" autocomplete="off" spellcheck="false">\n<button>Verify</button>\n</form>\n'
    )


def _box(kind: str, title: str, said: str) -> str:
    return f'<section class="{kind}" role="status"><h2>{title}</h2><p>{said}</p></section>\n'


def _result(found: Checked) -> str:
    outcome = outcome_of(found)
    facts = "".join(f"<dt>{name}</dt><dd>{escape(said)}</dd>\n" for name, said in _facts(found))
    checks = "".join(
        f'<tr><th scope="row">{name}</th><td class="{_SAID[held].split()[0]}">{_SAID[held]}</td></tr>\n'
        for name, held in _checks(found)
    )
    return (
        _box(outcome, _TITLES[outcome], _MEANINGS[outcome])
        + f"<h2>The receipt</h2>\n<dl>\n{facts}</dl>\n"
        + f"<h2>What was checked</h2>\n<table>\n<tbody>\n{checks}</tbody>\n</table>\n{_PROVES}"
    )


def _facts(found: Checked) -> Iterator[tuple[str, str]]:
    stored, receipt = found.seen.stored, found.seen.receipt
    yield "Id", receipt.id
    yield "Kind", receipt.kind.replace("_", " ")
    yield "Issued", receipt.issued_at
    yield "Key", receipt.kid
    yield "Log", stored.origin
    yield "Leaf", str(stored.index)
    if found.held is not None:
        yield "Checkpoint", f"over {found.held.held.size} leaves"
    yield "Checked", rfc3339(found.checked_ms)


def _checks(found: Checked) -> Iterator[tuple[str, bool | None]]:
    if found.held is not None:
        yield "Signature", found.is_signed
        yield "Place in the log", found.is_chained
        yield "Signed checkpoint", found.is_anchored
        yield "Texts of the policies", found.step("policies")
    yield "Request (execution hash)", found.execution
    yield "Decision (evaluation hash)", found.evaluation


@cache
def _style() -> str:
    return files("bylaw.api.compat.agentcert").joinpath("page.css").read_text(encoding="utf-8")
