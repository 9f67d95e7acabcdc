"""The inbox: in whose hands is what waits for people, and what they say about it."""
