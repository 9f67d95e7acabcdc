"""The ports of every noun on memory, SQLite and PostgreSQL."""
