"""OpenAI's embeddings, and the many that speak like them."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from bylaw.providers.model import Malformed, Object
from bylaw.providers.openai import decoded

PATH: Final = "/embeddings"


class _Row(msgspec.Struct, frozen=True):
    index: Annotated[int, msgspec.Meta(ge=0)]
    embedding: list[float]


class _Answer(msgspec.Struct, frozen=True):
    data: list[_Row]


def body_of(model: str, texts: Sequence[str]) -> Object:
    """Return what is sent."""
    return {"model": model, "input": [*texts], "encoding_format": "float"}


def read(body: bytes) -> tuple[list[float], ...]:
    """Return the vectors in the order of the texts. Raises: Malformed."""
    rows = sorted(decoded(body, _Answer).data, key=lambda each: each.index)
    if [each.index for each in rows] != [*range(len(rows))]:
        raise Malformed("its vectors are not numbered as the texts are")
    return tuple(each.embedding for each in rows)
