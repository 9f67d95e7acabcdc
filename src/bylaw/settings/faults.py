"""What is wrong with settings that can each be read: inert, missing, or no address of what they name."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from urllib.parse import urlsplit

from bylaw.core.errors import Problem
from bylaw.settings.sections import LOOPBACK
from bylaw.settings.sign_on import Given, sign_on_faults


def faults(given: Given, values: Mapping[str, object], *, signs: bool) -> Iterator[Problem]:
    """Yield what is wrong with `values`; who never `signs` needs no key file."""
    yield from _inert(given, values)
    yield from _unusable_databases(given, values)
    if signs and "database" in given and "key_file" not in given:
        name = given["database"][0]
        message = f"{name} needs --key-file (BYLAW_KEY_FILE): the file of this server's signing keys."
        yield Problem(path=name, code="missing_setting", message=message)
    yield from _no_networks(given, values)
    yield from _no_judge(given, values)
    yield from _no_embedder(given, values)
    yield from sign_on_faults(given, values)


def _inert(given: Given, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what was said but could have no effect."""

    def problem(name: str, message: str) -> Problem:
        return Problem(path=given[name][0], code="inert_setting", message=f"{given[name][0]} {message}.")

    if "database" in given and "data" in given:
        yield problem("data", f"has no effect beside {given['database'][0]}: leave one of the two out")
    if "database_owner" in given and "database" not in given:
        yield problem("database_owner", "has no effect without a database")
    if values.get("compare_in") == "postgres" and "database" not in given:
        yield problem("compare_in", "has no effect without a database")
    if values.get("expose") is True and str(values.get("host", "127.0.0.1")) in LOOPBACK:
        yield problem("expose", "has no effect while the host is loopback: name the host as well")
    if "host" in given and str(values.get("host")) not in LOOPBACK and values.get("expose") is not True:
        advice = "put TLS in front and say --expose (BYLAW_EXPOSE=true)"
        yield problem("host", f"{values['host']!r} is not loopback, so keys would travel in clear: {advice}")


def _unusable_databases(given: Given, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield the addresses of databases that are none; what they say may be secret, so it is not repeated."""
    for name in ("database", "database_owner"):
        if not str(values.get(name) or "postgresql://").startswith("postgresql://"):
            origin = given[name][0]
            message = f"{origin} begins with postgresql://, as in postgresql://user@host/name."
            yield Problem(path=origin, code="bad_value", message=message)


def _no_networks(given: Given, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield the addresses of proxies that are none."""
    for each in str(values.get("proxies") or "").split(","):
        try:
            ip_network(each.strip() or "::1")
        except ValueError as error:
            origin = given["proxies"][0]
            yield Problem(path=origin, code="bad_value", message=f"{origin}: {error}.")


def _no_judge(given: Given, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield why no model would judge, although something about one is said."""

    def problem(name: str, message: str) -> Problem:
        return Problem(path=given[name][0], code="inert_setting", message=f"{given[name][0]} {message}.")

    said = [name for name in given if name.startswith("judge_") and name not in {"judge_model", "judge_ms"}]
    if "judge_model" not in given:
        for name in said:
            yield problem(name, "has no effect without a model: set BYLAW_JUDGE_MODEL")
        return
    if values.get("outgoing", "off") == "off":
        advice = "set BYLAW_OUTGOING=public, or any for an address of this machine or network"
        yield problem("judge_model", f"has no effect while this server may call nobody: {advice}")
    elif values.get("outgoing") == "public" and _is_here(values):
        yield problem("judge_model", "is on this machine: set BYLAW_OUTGOING=any")
    if "judge_key" in given and "judge_key_file" in given:
        yield problem("judge_key", f"has no effect beside {given['judge_key_file'][0]}: leave one out")


def _no_embedder(given: Given, values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield why no model elsewhere would embed, although something about one is said."""
    if "embed_model" not in given:
        for name in (each for each in given if each.startswith("embed_") and each != "embed_runtime"):
            message = f"{given[name][0]} has no effect without a model: set BYLAW_EMBED_MODEL."
            yield Problem(path=given[name][0], code="inert_setting", message=message)
        return
    origin = given["embed_model"][0]
    if "embed_runtime" in given:
        other = given["embed_runtime"][0]
        message = f"{other} has no effect beside {origin}: leave one of the two out."
        yield Problem(path=other, code="inert_setting", message=message)
    if not values.get("embed_dimensions"):
        message = f"{origin} needs BYLAW_EMBED_DIMENSIONS: how many numbers its vectors have."
        yield Problem(path=origin, code="missing_setting", message=message)
    if values.get("outgoing", "off") == "off":
        message = (
            f"{origin} has no effect while this server may call nobody: set BYLAW_OUTGOING=public or any."
        )
        yield Problem(path=origin, code="inert_setting", message=message)


def _is_here(values: Mapping[str, object]) -> bool:
    """Return whether the model's endpoint is on this machine, as far as its address says."""
    usual = "http://localhost" if values.get("judge_api") == "ollama" else ""
    try:
        return urlsplit(str(values.get("judge_url") or usual)).hostname in LOOPBACK
    except ValueError:
        return False
