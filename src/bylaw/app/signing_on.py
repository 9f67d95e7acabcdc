"""Single sign-on, joined from settings."""

from typing import Final

from bylaw.api.links import Links
from bylaw.api.oidc.issuer import Registration, SignOnIssuer
from bylaw.api.oidc.sign_on import SignOn
from bylaw.app.secrets import line_in
from bylaw.core.clock import Clock
from bylaw.core.ids import Ids
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.settings import Settings
from bylaw.tenancy.sealing import Sealer

# The page of the dashboard to which people come back.
RETURN_TO: Final = "/sign-in/oidc/return"
_LIMITS: Final = HttpLimits(timeout_ms=5_000, answer_bytes=1 << 20, calls=64)


def sign_on_of(settings: Settings, sealer: Sealer, *, clock: Clock, ids: Ids) -> SignOn | None:
    """Return what signs people in at the issuer, None where none is named. Raises: InvalidInput."""
    said = settings.sign_in
    if not said.sso_issuer:
        return None
    registration = Registration(
        issuer=said.sso_issuer,
        client_id=said.sso_client_id,
        secret=said.sso_client_secret or line_in("sso_client_secret_file", said.sso_client_secret_file),
        label=said.sso_label,
        scopes=said.sso_scopes,
        return_to=Links(settings.server.public_url).to(RETURN_TO, {}),
    )
    issuer = SignOnIssuer(registration, HttpClient(settings.server.outgoing, _LIMITS), clock)
    return SignOn(registration, issuer, sealer, clock=clock, ids=ids)
