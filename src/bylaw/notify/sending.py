"""Sending: one signed request to one webhook, and what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bylaw.core.clock import Clock
from bylaw.core.errors import Corrupt
from bylaw.notify.model import Attempt, Notice, Webhook
from bylaw.notify.signing import signed_headers
from bylaw.notify.telling import Telling
from bylaw.providers.http import HttpAnswer, HttpCall, HttpClient, Outgoing
from bylaw.providers.model import Failed
from bylaw.tenancy.sealing import Sealer

_EXCERPT: Final = 500  # characters of an answer that are kept
_LONGEST_WAIT_MS: Final = 24 * 60 * 60 * 1000


class Sender:
    """Sends notices through `client`, which decides where calls may go."""

    def __init__(self, client: HttpClient, sealer: Sealer, clock: Clock) -> None:
        self._client = client
        self._sealer = sealer
        self._clock = clock

    async def aclose(self) -> None:
        """Close what is open and unused."""
        await self._client.aclose()

    async def send(self, webhook: Webhook, notice: Notice) -> Attempt:
        """Return what came of one attempt; nothing of it is raised."""
        at_ms, body = self._clock.now_ms(), notice.body()
        try:
            secrets = secrets_of(webhook, self._sealer, now_ms=at_ms)
        except Corrupt as error:
            return Attempt(at_ms=at_ms, duration_ms=0, error=error.message)
        headers = {
            **signed_headers(notice.id, at_ms, body, secrets),
            "user-agent": "bylaw-webhooks",
        }
        call = HttpCall(method="POST", url=webhook.url, headers=headers, body=body)
        answer = await self._client.send(call)
        duration_ms = max(0, self._clock.now_ms() - at_ms)
        if isinstance(answer, Failed):
            return Attempt(at_ms=at_ms, duration_ms=duration_ms, error=answer.message)
        return Attempt(
            at_ms=at_ms,
            duration_ms=duration_ms,
            status=answer.status,
            error="" if 200 <= answer.status < 300 else f"It answered with status {answer.status}.",
            excerpt=_excerpt(answer.body),
            retry_after_ms=_retry_after_ms(answer),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """What routes of webhooks work with; `outgoing` says where webhooks may lead."""

    telling: Telling
    sender: Sender
    outgoing: Outgoing


def secrets_of(webhook: Webhook, sealer: Sealer, *, now_ms: int) -> Sequence[str]:
    """Return the secrets that sign at this moment, the newest first. Raises: Corrupt."""
    sealed = [webhook.sealed]
    if webhook.sealed_before and now_ms < webhook.overlap_ends_ms:
        sealed.append(webhook.sealed_before)
    return [sealer.open(each, *owner_of(webhook.tenant_id, webhook.id)).decode() for each in sealed]


def owner_of(tenant_id: str, ident: str) -> tuple[str, str, str]:
    """Return to whom the secrets of a webhook are sealed."""
    return (tenant_id, "webhook", ident)


def _excerpt(body: bytes) -> str:
    text = body[: 4 * _EXCERPT].decode("utf-8", "replace")[:_EXCERPT]
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def _retry_after_ms(answer: HttpAnswer) -> int:
    """Return how long the receiver asks to be left alone; a date instead of seconds is passed over."""
    said = answer.headers.get("retry-after", "")
    is_number = said.isascii() and said.isdecimal() and len(said) < 10
    return min(int(said) * 1000, _LONGEST_WAIT_MS) if is_number else 0
