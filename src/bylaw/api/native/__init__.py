"""The native API under /v1: one module per resource, each with its wire shapes and its routes."""
