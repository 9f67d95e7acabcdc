"""Approvals of a held call: bound to its exact bytes, durable, spent once."""
