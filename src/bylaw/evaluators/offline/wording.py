"""Reading a rule: which shape its wording has, in full, or none."""

from functools import lru_cache

from bylaw.evaluators.offline.grammar import LONGEST_RULE, tidy
from bylaw.evaluators.offline.limits import read_limit
from bylaw.evaluators.offline.mentions import read_mention
from bylaw.evaluators.offline.shape import Shape
from bylaw.policies.model import Effect


@lru_cache(maxsize=4_096)
def shape_of(text: str, effect: Effect) -> Shape | None:
    """Return the shape of a rule in plain language, None when it has none that is known."""
    if len(text) > LONGEST_RULE:
        return None
    wording = tidy(text)
    return read_limit(wording) or read_mention(wording, effect)
