"""The ports in memory: for tests, and for tools that keep nothing."""
