"""Telling other systems what happened: webhooks, signed as Standard Webhooks, delivered at least once."""
