"""Names, ids and reasons from callers, checked once at the door."""

from bylaw.core.errors import InvalidInput, Problem

MAX_NAME = 200
MAX_ID = 200
MAX_REASON = 2_000


def checked_name(text: str, *, path: str = "name") -> str:
    """Return `text` without surrounding space. Raises: InvalidInput when blank, too long or unprintable."""
    name = text.strip()
    if not name:
        raise _invalid(path, "required", "Give it a name that is not blank.")
    if len(name) > MAX_NAME:
        raise _invalid(path, "too_long", f"At most {MAX_NAME} characters; this has {len(name)}.")
    if not name.isprintable():
        raise _invalid(path, "unprintable", "Leave out line breaks and control characters.")
    return name


def checked_id(text: str, *, path: str = "id") -> str:
    """Return an opaque id as it is. Raises: InvalidInput when empty, too long, or with space or controls."""
    if not text or len(text) > MAX_ID:
        raise _invalid(path, "bad_id", f"An id has 1 to {MAX_ID} characters.")
    if not text.isprintable() or any(character.isspace() for character in text):
        raise _invalid(path, "bad_id", "An id has no spaces or control characters.")
    return text


def checked_email(text: str, *, path: str = "email") -> str:
    """Return an e-mail address as it is. Raises: InvalidInput when it does not look like one."""
    name, at, host = text.rpartition("@")
    if not (name and at and host) or len(text) > MAX_NAME or not text.isprintable() or " " in text:
        raise _invalid(path, "bad_email", "Write the address as name@host.")
    return text


def checked_reason(text: str, *, path: str = "reason") -> str:
    """Return a reason, which may be empty, without surrounding space. Raises: InvalidInput when too long."""
    if len(text) > MAX_REASON:
        raise _invalid(path, "too_long", f"At most {MAX_REASON} characters; this has {len(text)}.")
    return text.strip()


def _invalid(path: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(f"{path}: {message}", Problem(path=path, code=code, message=message))
