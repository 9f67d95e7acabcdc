"""Charts as shapes: numbers in, places on a sheet out. Templates draw them, style sheets colour them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

_NICE: Final = (1, 2, 5, 10)
_TICKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """How large a chart is, how much of that its marks take, and how many columns may have a label."""

    width: int
    height: int
    left: int
    top: int
    bottom: int
    labels: int


WIDE: Final = Sheet(width=1000, height=260, left=48, top=12, bottom=30, labels=10)
NARROW: Final = Sheet(width=340, height=200, left=36, top=10, bottom=26, labels=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One number of each column, under a name; `kind` is the class that colours it."""

    name: str
    kind: str
    numbers: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part of a column: a number of the series `kind`, which goes by `name`."""

    name: str
    kind: str
    y: float
    height: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What is stacked over one label; `has_label` where there is room to write it."""

    label: str
    x: float
    width: float
    boxes: Sequence[Box]
    has_label: bool

    @property
    def middle(self) -> float:
        """Where its label stands."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A number of the scale, and its height."""

    y: float
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A chart of stacked columns."""

    sheet: Sheet
    columns: Sequence[Column]
    ticks: Sequence[Tick]

    @property
    def floor(self) -> int:
        """The height on which columns stand."""
        return self.sheet.height - self.sheet.bottom


def bars(labels: Sequence[str], series: Sequence[Series], sheet: Sheet) -> Bars:
    """Return columns over `labels`, with the series stacked in their order, the first at the bottom.

    Raises: ValueError when a series has not one number for each label.
    """
    stacks = list(zip(*(each.numbers for each in series), strict=True))
    step = _step(max((sum(stack) for stack in stacks), default=0))
    most = step * _TICKS
    floor, room = sheet.height - sheet.bottom, sheet.height - sheet.bottom - sheet.top
    slot = (sheet.width - sheet.left) / max(1, len(labels))
    every = -(-len(labels) // sheet.labels)
    columns = []
    for at, (label, stack) in enumerate(zip(labels, stacks, strict=True)):
        tops = [round(floor - room * sum_ / most, 1) for sum_ in accumulate(stack, initial=0)]
        boxes = [
            Box(name=each.name, kind=each.kind, y=above, height=round(below - above, 1), number=number)
            for each, number, below, above in zip(series, stack, tops, tops[1:], strict=False)
            if number
        ]
        column = Column(
            label=label,
            x=round(sheet.left + slot * (at + 0.12), 1),
            width=round(slot * 0.76, 1),
            boxes=boxes,
            has_label=(len(labels) - 1 - at) % every == 0,
        )
        columns.append(column)
    ticks = [
        Tick(y=round(floor - room * number / most, 1), number=number) for number in range(0, most + 1, step)
    ]
    return Bars(sheet=sheet, columns=columns, ticks=ticks)


def _step(most: int) -> int:
    """Return the smallest round number that reaches `most` in a few steps."""
    power = 1
    while power * _NICE[-1] * _TICKS < most:
        power *= 10
    return next(power * nice for nice in _NICE if power * nice * _TICKS >= most)
