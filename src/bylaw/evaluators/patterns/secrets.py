"""Keys, tokens and passwords in a text: by the prefix that says what they are, or by their name."""

import re
from typing import Final

from bylaw.evaluators.patterns.shape import plain, quote

# What every one of the secrets begins with: where it is not, none is.
HINT: Final = (
    r"-----BEGIN |A[KS]IA|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|[rs]k[-_]|whsec_|eyJ|AIza|ya29|npm_"
    r"|pypi-|hf_|SG\.|do[opr]_v1_|[as][fk]_live_|hooks\.slack|://"
)
_BEGINS: Final = re.compile(HINT)
_SECRET: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|\bA[KS]IA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,255}\b"
    r"|\bgithub_pat_[A-Za-z0-9_]{40,255}\b|\bglpat-[A-Za-z0-9_-]{20,100}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,255}\b|\bsk-[A-Za-z0-9_-]{20,255}\b|\b(?:[rs]k|whsec)_(?:live_"
    r"|test_)?[A-Za-z0-9]{24,255}\b"
    r"|\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,500}|\bnpm_[A-Za-z0-9]{36}\b"
    r"|\bpypi-[A-Za-z0-9_-]{50,500}"
    r"|\bhf_[A-Za-z0-9]{30,100}\b|\bSG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"
    r"|\bdo[opr]_v1_[a-f0-9]{64}\b"
    r"|\b(?:sf|ak)_live_[A-Za-z0-9_]{20,255}\b|https://hooks\.slack\.com/services/[A-Z0-9]{8,16}/[A-Z0-9]{8,16}/\w{20,32}"
    r"|\b[a-z][a-z0-9+]{2,15}://[^\s:/@]{1,64}:[^\s:/@]{3,64}@[\w.-]{3,255}"
)
_TOKEN: Final = re.compile(r"(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,2000}\.[\w-]{10,}")
_NAMED: Final = re.compile(r"passw|pwd|passphrase|secret|token|api.?key", re.IGNORECASE)
_GIVEN: Final = re.compile(
    r"(?:passw(?:or)?d|pwd|passphrase|(?:client.?|api.?)?secret|(?:access.?|auth.?)?token"
    r"|api.?key)[\"']?\s{0,2}(?:[:=]|is)\s{0,2}[\"'`]?"
    r"(?=[^\s\"'`]{0,30}\d)(?=[^\s\"'`]{0,30}[A-Za-z!#$%&*@])[^\s\"'`<>{}()\[\]]{8,128}",
    re.IGNORECASE,
)


def secrets(text: str) -> list[str]:
    """Return the keys, tokens and passwords in `text` that say what they are."""
    seen = plain(text)
    found = quote(_SECRET, text) if _BEGINS.search(seen) else []
    found += tokens(text) if "eyJ" in seen else []
    return found + (quote(_GIVEN, text) if _NAMED.search(seen) else [])


def tokens(text: str) -> list[str]:
    """Return the JSON Web Tokens in `text`."""
    return quote(_TOKEN, text)
