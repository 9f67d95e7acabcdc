"""Workers on each of the stores, with time that moves when a test says so."""

from tests.contracts.conftest import clock, migrated_url, store

__all__ = ["clock", "migrated_url", "store"]
