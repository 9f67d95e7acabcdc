"""Who judges a rule that is plain language: one protocol, a batch in and one verdict per rule out."""
