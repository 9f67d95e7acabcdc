"""Workers on each of the stores, with time that moves when a test says so."""

from tests.contracts.conftest import clock, kept, kept_postgres, kept_sqlite, store

__all__ = ["clock", "kept", "kept_postgres", "kept_sqlite", "store"]
