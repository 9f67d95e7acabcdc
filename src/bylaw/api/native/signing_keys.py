"""The keys that sign the logs, for the operator; everybody reads them at /.well-known/jwks.json."""

from typing import Annotated

from fastapi import APIRouter

from bylaw.api.answers import Reply
from bylaw.api.native.signing_key_views import Revocation, SigningKeysView, SigningKeyView
from bylaw.api.route import Operating, Route, body, needs_operator
from bylaw.api.shape import moment, when
from bylaw.api.signing import Signing
from bylaw.core.clock import rfc3339
from bylaw.receipts.checkpoint import verifier_key
from bylaw.receipts.ports import Ledger
from bylaw.receipts.signing import PublicKey

router = APIRouter(tags=["log"], route_class=Route)


@router.get("/v1/log/keys")
async def list_signing_keys(operating: Annotated[Operating, needs_operator()]) -> Reply[SigningKeysView]:
    """List the keys that sign the logs, those of every process."""
    parts = operating.parts
    keys = (await parts.signing.published()).keys
    return Reply(SigningKeysView(data=tuple([await view(key, parts.signing, parts.ledger) for key in keys])))


@router.post("/v1/log/keys/rotate")
async def rotate_signing_key(operating: Annotated[Operating, needs_operator()]) -> Reply[SigningKeyView]:
    """Let this process sign with a new key from now on; the old one is retired and stays good.

    The next checkpoint carries both signatures. Servers that share the key file follow within seconds.
    """
    parts = operating.parts
    return Reply(await view(await parts.signing.rotate(), parts.signing, parts.ledger))


@router.post("/v1/log/keys/{kid}/revoke")
async def revoke_signing_key(
    operating: Annotated[Operating, needs_operator()],
    kid: str,
    sent: Annotated[Revocation, body(Revocation, may_be_empty=True)],
) -> Reply[SigningKeyView]:
    """Let nothing count that a key says from a moment on; a key that signs is replaced first.

    Revoking again changes nothing, unless it is dated earlier. What another server signs with the revoked
    key, in the seconds before it takes a new one, does not count either: rotate there first if there is time.
    """
    parts = operating.parts
    at_ms = moment(sent.revoked_at, path="revoked_at")
    return Reply(await view(await parts.signing.revoke(kid, at_ms), parts.signing, parts.ledger))


async def view(key: PublicKey, signing: Signing, ledger: Ledger) -> SigningKeyView:
    """Return a signing key as it goes over the wire."""
    logs = await ledger.logs.latest()
    return SigningKeyView(
        kid=key.kid,
        status=key.standing,
        since=rfc3339(key.since_ms),
        ended_at=when(key.ended_ms),
        signs_here=key.kid == signing.kid,
        verifier_keys=tuple(verifier_key(held.origin, key.raw) for held in logs),
    )
