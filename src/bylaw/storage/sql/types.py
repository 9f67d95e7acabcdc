"""Column types that hold the same values on every database.

Text is compared by code point everywhere (collation C on PostgreSQL, BINARY on SQLite), so pages continue
in the same order. JSON is kept as text: it comes back as it was written, and no database looks into it.
"""

import json

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from bylaw.storage.text import MAX_ID_BYTES, MAX_TENANT_BYTES, json_text, search_key, storable, storable_int


class LongText(TypeDecorator[str]):
    """Text of any length."""

    impl = Text().with_variant(Text(collation="C"), "postgresql")
    cache_ok = True
    max_bytes: int | None = None

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value, max_bytes=self.max_bytes)


class Ident(LongText):
    """An id, short enough for an index over several."""

    cache_ok = True
    max_bytes = MAX_ID_BYTES


class TenantIdent(LongText):
    """The id of a tenant, which begins every index."""

    cache_ok = True
    max_bytes = MAX_TENANT_BYTES


class SearchKey(LongText):
    """Text that is only looked for, never read back: any text fits, a long one as its hash."""

    cache_ok = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else search_key(value)


class Int64(TypeDecorator[int]):
    """A whole number of 64 bits."""

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None else storable_int(value)


class JsonText(TypeDecorator[object]):
    """A JSON value as text; the SQL NULL is None."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        return None if value is None else json.loads(value)
