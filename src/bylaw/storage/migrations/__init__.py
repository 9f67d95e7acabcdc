"""The schema's history: one line of migrations for SQLite and PostgreSQL."""
