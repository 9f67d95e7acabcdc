"""The control plane in SQL, one implementation for SQLite and PostgreSQL."""
