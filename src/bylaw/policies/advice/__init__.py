"""Advice to authors, without a model: a review of a rule's wording, and shipped policies that fit a need."""
