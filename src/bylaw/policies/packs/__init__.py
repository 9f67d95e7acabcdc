"""Policy packs: policies as files, planned against what is stored, applied at once, and written back."""
