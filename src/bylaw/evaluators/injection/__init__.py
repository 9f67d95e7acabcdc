"""Attempts to give a model instructions through text that is only data: what shows them, and where."""
