"""The gateway: calls of models pass through it, and policies decide on both ways."""
