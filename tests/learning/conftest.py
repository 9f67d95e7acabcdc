"""The learning loop on every store, with hashed n-grams for vectors: no model has to be installed."""

from tests.contracts.conftest import clock, migrated_url, sqlite_template, store

__all__ = ["clock", "migrated_url", "sqlite_template", "store"]
