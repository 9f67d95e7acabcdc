"""A page: its address, and what answers a visit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from bylaw.dashboard.visit import Visit

Answer = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One address.

    `is_for_people`: whoever is not signed in is led to do so first. `is_file`: what is answered is no page,
    but a file or a stream, or leads elsewhere.
    """

    method: str
    path: str
    answer: Answer
    is_for_people: bool = True
    is_file: bool = False


def shown(path: str, answer: Answer, *, is_for_people: bool = True) -> Page:
    """Return a page that is looked at."""
    return Page(method="GET", path=path, answer=answer, is_for_people=is_for_people)


def handed(path: str, answer: Answer) -> Page:
    """Return what hands out a file or a stream."""
    return Page(method="GET", path=path, answer=answer, is_file=True)


def led(path: str, answer: Answer) -> Page:
    """Return what leads anybody elsewhere."""
    return Page(method="GET", path=path, answer=answer, is_for_people=False, is_file=True)


def sent(path: str, answer: Answer, *, is_for_people: bool = True) -> Page:
    """Return what answers a form."""
    return Page(method="POST", path=path, answer=answer, is_for_people=is_for_people)
