"""What is wrong with settings of signing in: half of single sign-on would let nobody in, or others."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from bylaw.core.errors import Problem
from bylaw.settings.sections import LOOPBACK

Given = Mapping[str, tuple[str, object]]  # where each setting was said, and what

_NEEDED: Final = {
    "sso_client_id": "BYLAW_SSO_CLIENT_ID: what the provider calls this server",
    "public_url": "BYLAW_PUBLIC_URL: the provider sends people back there",
}


def sign_on_faults(given: Given, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield why nobody could sign in as is said, although something about it is."""
    if "sso_issuer" not in given:
        for name in (each for each in given if each.startswith("sso_")):
            yield _inert(given, name, "has no effect without a provider: set BYLAW_SSO_ISSUER")
        if values.get("password_sign_in") is False:
            yield _missing(given, "password_sign_in", "BYLAW_SSO_ISSUER: nobody could sign in otherwise")
        return
    for name, what in _NEEDED.items():
        if name not in given:
            yield _missing(given, "sso_issuer", what)
    if "sso_client_secret" not in given and "sso_client_secret_file" not in given:
        yield _missing(given, "sso_issuer", "BYLAW_SSO_CLIENT_SECRET_FILE or BYLAW_SSO_CLIENT_SECRET")
    if "sso_client_secret" in given and "sso_client_secret_file" in given:
        other = given["sso_client_secret_file"][0]
        yield _inert(given, "sso_client_secret", f"has no effect beside {other}: leave one out")
    scopes = str(values.get("sso_scopes", "openid email")).split()
    if not {"openid", "email"} <= set(scopes):
        message = f"{given['sso_scopes'][0]} holds `openid` and `email` at least."
        yield Problem(path=given["sso_scopes"][0], code="bad_value", message=message)
    yield from _no_issuer(given, values)


def _no_issuer(given: Given, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield why the issuer cannot be asked where it is."""
    try:
        issuer = urlsplit(str(values.get("sso_issuer")))
        host = issuer.hostname
    except ValueError:
        issuer, host = urlsplit(""), None
    is_near = issuer.scheme == "http" and host in LOOPBACK
    if (
        not host
        or issuer.query
        or issuer.fragment
        or issuer.username
        or not (issuer.scheme == "https" or is_near)
    ):
        origin = given["sso_issuer"][0]
        message = (
            f"{origin} begins with https:// and has no query, as in https://login.example.com/realms/acme;"
            " http is for a provider on this machine alone."
        )
        yield Problem(path=origin, code="bad_value", message=message)
    if values.get("outgoing", "off") == "off":
        advice = "set BYLAW_OUTGOING=public, or any for an address of this machine or network"
        yield _inert(given, "sso_issuer", f"has no effect while this server may call nobody: {advice}")
    elif values.get("outgoing") == "public" and host in LOOPBACK:
        yield _inert(given, "sso_issuer", "is on this machine: set BYLAW_OUTGOING=any")


def _inert(given: Given, name: str, message: str) -> Problem:
    return Problem(path=given[name][0], code="inert_setting", message=f"{given[name][0]} {message}.")


def _missing(given: Given, name: str, what: str) -> Problem:
    return Problem(path=given[name][0], code="missing_setting", message=f"{given[name][0]} needs {what}.")
