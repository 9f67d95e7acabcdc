"""The offline evaluator: decides only what it can show, and abstains from everything else.

It reads closed shapes of wording, each in full or not at all (`wording`); what each looks for, in which
words, is in docs/reference/offline-rules.md. A quoted phrase means just these words, so its absence is shown
as well; words without quotes may stand for a meaning, so only their presence is. What the request says goes
into the evidence alone: rationales are kept when the request is erased.
"""

from bylaw.evaluators.offline.evaluator import OfflineEvaluator
from bylaw.evaluators.offline.explain import HowChecked, explain
from bylaw.evaluators.offline.reading import MOST_READ
from bylaw.evaluators.offline.wording import asks_alone

__all__ = ["MOST_READ", "HowChecked", "OfflineEvaluator", "asks_alone", "explain"]
