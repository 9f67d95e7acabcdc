"""Policies: identity, immutable versions, lifecycle, diff, packs of files, and the stores they need."""
