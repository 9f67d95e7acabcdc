"""A bounded allowance of work, shared by everything that one evaluation or one decision does."""

from typing import Final

from bylaw.rules.limits import RULE
from bylaw.rules.verdict import Failure

TEXT_PER_STEP: Final = 128  # characters joined, copied or searched for the price of one step
COMPARED_PER_STEP: Final = 1_024  # characters compared for the price of one step
MATCHED_PER_STEP: Final = 128  # characters times instructions that a pattern reads for the price of one step


class Budget:
    """Steps that are left; work is charged before it is done.

    Units: one step is about one evaluated node, 0.1 to 0.5 microseconds.
    """

    __slots__ = ("left",)

    def __init__(self, steps: int = RULE.steps) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take `steps` away.

        Raises: Failure with the code `budget`, and then nothing more may be evaluated.
        """
        self.left -= steps
        if self.left < 0:
            raise exhausted()

    def read(self, length: int) -> None:
        """Pay for work in proportion to a text or bytes of `length`."""
        if length >= TEXT_PER_STEP:
            self.spend(length // TEXT_PER_STEP)


def exhausted() -> Failure:
    """Return the failure of an evaluation that used up its allowance."""
    return Failure("budget", "the rule needs more steps than one evaluation may take")
