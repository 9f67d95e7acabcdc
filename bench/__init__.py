"""Measurements behind every figure that the documentation states: `python -m bench [PART ...]`."""
