"""Contracts of others, each a family over the same core: they know neither each other nor the native one."""
