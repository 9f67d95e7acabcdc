"""What a route may answer with: JSON and its pages, documents as they are stored, lines, notes, metrics."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from fastapi import Response
from fastapi.responses import StreamingResponse

from bylaw.core.paging import Page as Part

T = TypeVar("T")
V = TypeVar("V")

_encoder = msgspec.json.Encoder()


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One part of a list, newest first; send `next_cursor` as `cursor` for the next, null on the last."""

    data: tuple[T, ...]
    next_cursor: str | None


def page(part: Part[V], view: Callable[[V], T]) -> Page[T]:
    """Return a page of a store as it goes over the wire."""
    return Page(data=tuple(view(item) for item in part.items), next_cursor=part.next_cursor)


class Reply(Response, Generic[T]):
    """A JSON answer with `content`; `revision` becomes its ETag, and a secret is left out of what is kept."""

    def __init__(self, content: T, *, revision: int | None = None, kept: T | None = None) -> None:
        headers = {} if revision is None else {"etag": f'"{revision}"'}
        super().__init__(_encoder.encode(content), media_type="application/json", headers=headers)
        self.kept = self.body if kept is None else _encoder.encode(kept)


class Document(Response):
    """A JSON document that is sent as it is stored."""

    media_type = "application/json"


class Envelope(Response):
    """A DSSE envelope."""

    media_type = "application/vnd.dsse.envelope.v1+json"


class Lines(StreamingResponse):
    """JSON lines, sent as they are made."""

    media_type = "application/x-ndjson"


class Notes(Response):
    """Signed notes, one after the other, byte for byte."""

    media_type = "text/plain"


class Metrics(Response):
    """Metrics in Prometheus' text format."""

    media_type = "text/plain"
