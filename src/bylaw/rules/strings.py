"""The escapes of string and bytes literals."""

from typing import Final

from bylaw.rules.place import refusal

_SIMPLE: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "?": "?",
    '"': '"',
    "'": "'",
    "`": "`",
}
_HEX_DIGITS: Final = {"x": 2, "X": 2, "u": 4, "U": 8}


def unescape(source: str, start: int, end: int, *, raw: bool, as_bytes: bool) -> str | bytes:
    r"""Return the value that `source[start:end]`, the inside of a literal, stands for.

    In bytes, `\\x41` and `\\101` are single bytes; in strings they are code points.
    Raises: RuleSyntax.
    """
    text = source[start:end]
    if raw or "\\" not in text:
        return text.encode() if as_bytes else text
    parts: list[str | bytes] = []
    at = start
    while at < end:
        escape = source.find("\\", at, end)
        if escape < 0:
            escape = end
        if escape > at:
            parts.append(source[at:escape])
        at = escape
        if at < end:
            part, at = _escape(source, escape, end, as_bytes=as_bytes)
            parts.append(part)
    if as_bytes:
        return b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return "".join(part for part in parts if isinstance(part, str))


def _escape(source: str, at: int, end: int, *, as_bytes: bool) -> tuple[str | bytes, int]:
    """Return what the escape at `at` stands for and where it ends."""
    letter = source[at + 1] if at + 1 < end else ""
    if letter in _SIMPLE:
        return _SIMPLE[letter], at + 2
    if letter and letter in "0123":
        digits, base, stop = source[at + 1 : min(at + 4, end)], 8, at + 4
        complete = len(digits) == 3 and all(digit in "01234567" for digit in digits)
    elif letter in _HEX_DIGITS and not (as_bytes and letter in "uU"):
        stop = at + 2 + _HEX_DIGITS[letter]
        digits, base = source[at + 2 : min(stop, end)], 16
        complete = len(digits) == _HEX_DIGITS[letter] and all(d in "0123456789abcdefABCDEF" for d in digits)
    else:
        raise refusal(source, at, "unknown escape in this string", hint="write \\\\ for a backslash")
    if not complete:
        raise refusal(source, at, "this escape needs more digits")
    number = int(digits, base)
    if as_bytes:
        return bytes([number]), stop
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise refusal(source, at, "this escape is not a Unicode character")
    return chr(number), stop
