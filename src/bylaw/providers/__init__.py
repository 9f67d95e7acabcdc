"""Providers of models: how they are reached over HTTP, and what is said between them and us."""
