"""Finding policies: texts as vectors, an exact index of them, and their fusion with words."""
