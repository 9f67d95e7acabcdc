"""Recorded traffic run against policies: cases beside a pack, and replay of conversations."""
