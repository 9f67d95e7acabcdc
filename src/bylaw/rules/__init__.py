"""The rule language: CEL over JSON, compiled to Python code, that explains itself."""
