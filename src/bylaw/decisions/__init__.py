"""The hot path: an immutable snapshot, a request, and what follows from them."""
