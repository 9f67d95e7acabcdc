"""What can be recognised in a text by its shape: data, secrets, numbers of identity, forms of writing."""

from bylaw.evaluators.patterns.kinds import FINDERS, Finder
from bylaw.evaluators.patterns.personal import LOOSE, SHAPES, cards, emails, ibans, personal_data, phones
from bylaw.evaluators.patterns.secrets import secrets
from bylaw.evaluators.patterns.shape import (
    DASHES,
    END,
    MOST_QUOTES,
    START,
    Shape,
    Span,
    plain,
    quote,
    visible,
)
from bylaw.evaluators.patterns.spelled import SPELLED, SPELLING

__all__ = [
    "DASHES",
    "END",
    "FINDERS",
    "LOOSE",
    "MOST_QUOTES",
    "SHAPES",
    "SPELLED",
    "SPELLING",
    "START",
    "Finder",
    "Shape",
    "Span",
    "cards",
    "emails",
    "ibans",
    "personal_data",
    "phones",
    "plain",
    "quote",
    "secrets",
    "visible",
]
