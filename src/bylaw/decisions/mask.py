"""Step 5 of a decision: masks. What somebody is shown of a request, without what its policies withhold.

The masks of all policies that apply are carried out together, in one walk over the parts that the phase
shows. A field is replaced by `[masked]`, personal data in a text by its kind, `[email]`. Whatever cannot be
told is withheld whole, and the policy is undecided: `mask_shape` where a field is not of the shape that its
path expects, `mask_doubt` where a text has something that is only like personal data or spells it out,
`mask_budget` where the walk takes more steps than a decision has for it. What evaluators quote is withheld as
well (`quotes`).
"""

import asyncio
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import UNSET

from bylaw.decisions.combine import with_masks
from bylaw.decisions.compiled import Applied
from bylaw.decisions.model import Combined, MaskResult, Object, Redaction, Request
from bylaw.decisions.quotes import has_quotes, without_quotes
from bylaw.evaluators.patterns import LOOSE, SHAPES, SPELLED, SPELLING, Shape, Span, plain
from bylaw.policies.mask import EVERY, SHOWN
from bylaw.policies.model import Mask, PersonalData

MASKED: Final = "[masked]"
# About half a second of work, of which others wait for a hundredth at a time.
MASK_STEPS: Final = 500_000
_TURN: Final = 5_000
_CHARACTERS_PER_STEP: Final = 32
_STEPS_PER_FOUND: Final = 4
# A text of so many characters takes too long to be looked through at once.
_LONG: Final = 4_096
_SHORTEST_CARD: Final = 10**12
_BEYOND_CARDS: Final = 10**19
# Without any of these there is nothing in a text that is even like personal data, unless it is spelled out.
_HINT: Final = re.compile("[@\uff20\ufe6b+\\d]")
_CALLED: Final[Mapping[PersonalData, str]] = {
    "email": "an e-mail address",
    "iban": "a bank account number",
    "card": "a card number",
    "phone": "a phone number",
}


class _OutOfSteps(Exception):
    """The walk would take more steps than a decision has for it."""


@dataclass(slots=True)
class _Node:
    """Where the paths of fields lead on: to members, to every item of a list, or nowhere: `ends`."""

    path: str
    members: dict[str, "_Node"] = field(default_factory=dict)
    every: "_Node | None" = None
    ends: bool = False

    def step(self, name: str) -> "_Node":
        """Return the node that is one step further, making it if it is new."""
        path = f"{self.path}.{name}" if self.path else name
        if name != EVERY:
            return self.members.setdefault(name, _Node(path))
        if self.every is None:
            self.every = _Node(path)
        return self.every


@dataclass(slots=True)
class _Frame:
    """An object or a list on the way, its copy so far, and the place in the paths that is reached with it."""

    copy: dict[str, object] | list[object]
    items: Iterator[tuple[str, object]]
    node: _Node | None
    repeated: Counter[str] = field(default_factory=Counter)

    def child(self, name: str) -> _Node | None:
        """Return where the paths lead on below an item."""
        if self.node is None:
            return None
        return self.node.members.get(name) if isinstance(self.copy, dict) else self.node.every

    def put(self, name: str, value: object) -> None:
        """Add one item to the copy; a name that another one has become gets a number."""
        if isinstance(self.copy, list):
            self.copy.append(value)
            return
        free = name
        while free in self.copy:
            self.repeated[name] += 1
            free = f"{name} {self.repeated[name] + 1}"
        self.copy[free] = value


class _Walk:
    """Carries out masks on the parts of a request.

    `counts` says how often a kind was withheld at a path.
    """

    def __init__(self, shown: Object, masks: Sequence[Mask]) -> None:
        self.shown: Object = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        # Places at which paths expect a list (True) or an object, and there is something else.
        self._misfits: set[tuple[str, bool]] = set()
        # Parts and kinds of which a text has something that is only like one.
        self._doubts: set[tuple[str, PersonalData]] = set()
        self._kinds = [kind for kind in SHAPES if any(kind in mask.personal_data for mask in masks)]
        self._left = MASK_STEPS
        self._turn = MASK_STEPS - _TURN
        self._part = ""
        root = _Node("")
        for path in {path for mask in masks for path in mask.fields}:
            node = root
            for name in path.split("."):
                node = node.step(name)
            node.ends = True
        self._frames = [_Frame(self.shown, iter(shown.items()), root)]

    def run(self) -> Iterator[None]:
        """Fill `shown`, and yield whenever others should have their turn. Raises: _OutOfSteps."""
        while self._frames:
            frame = self._frames[-1]
            for name, value in frame.items:
                if self._spend(1):
                    yield
                if frame.copy is self.shown:
                    self._part = name
                node = frame.child(name)
                key = (yield from self._text(name)) if self._kinds and name else name
                frame.put(key, (yield from self._item(value, node)))
                if self._frames[-1] is not frame:
                    break
            else:
                self._frames.pop()

    def result(self, mask: Mask) -> MaskResult | None:
        """Return what one of the masks came to, None when there was nothing to withhold."""
        failed = sorted((place, path) for path in mask.fields for place in self._misfits_of(path))
        places = sorted({*mask.fields, *(place for place, _ in failed)})
        fields = [
            Redaction(path=place, kind="field", count=count)
            for place in places
            if (count := self.counts[place, "field"])
        ]
        data = [
            Redaction(path=part, kind=kind, count=count)
            for kind in mask.personal_data
            for part in self.shown
            if (count := self.counts[part, kind])
        ]
        found = MaskResult(redactions=(*fields, *data))
        if failed:
            place, path = failed[0]
            said = f"The mask of `{path}` does not fit what is at `{place}`, which is withheld whole."
            return msgspec.structs.replace(found, code="mask_shape", path=place, message=said)
        for part, kind in sorted(self._doubts):
            if kind in mask.personal_data:
                said = (
                    f"It cannot be told whether a text in `{part}` has {_CALLED[kind]}: it is withheld whole."
                )
                return msgspec.structs.replace(found, code="mask_doubt", path=part, message=said)
        return found if found.redactions else None

    def _misfits_of(self, path: str) -> Iterator[str]:
        """Yield the places on the way of `path` that are not of the shape that it expects."""
        for place, is_list in self._misfits:
            beyond = path.removeprefix(place + ".")
            if beyond != path and (beyond.split(".", maxsplit=1)[0] == EVERY) is is_list:
                yield place

    def _item(self, value: object, node: _Node | None) -> Generator[None, None, object]:
        """Return what is shown of a value; the items of an object or a list are put there later."""
        if node is not None and (node.ends or self._misfit(node, value)):
            self.counts[node.path, "field"] += 1
            return MASKED
        if node is None and not self._kinds:
            return value
        if isinstance(value, dict):
            copy: dict[str, object] = {}
            self._frames.append(_Frame(copy, iter(value.items()), node))
            return copy
        if isinstance(value, list):
            items: list[object] = []
            self._frames.append(_Frame(items, (("", item) for item in value), node))
            return items
        if isinstance(value, str):
            return (yield from self._text(value))
        if "card" in self._kinds and isinstance(value, (int, float)):
            return (yield from self._number(value))
        return value

    def _misfit(self, node: _Node, value: object) -> bool:
        """Return whether the paths expect another shape than a value has; null has nothing to withhold."""
        if value is None:
            return False
        no_list = node.every is not None and not isinstance(value, list)
        no_object = bool(node.members) and not isinstance(value, dict)
        if no_list:
            self._misfits.add((node.path, True))
        if no_object:
            self._misfits.add((node.path, False))
        return no_list or no_object

    def _number(self, value: float) -> Generator[None, None, object]:
        """Return what is shown of a number: its digits before the point may be those of a card."""
        if not _SHORTEST_CARD <= abs(value) < _BEYOND_CARDS:
            return value
        digits = str(int(abs(value)))
        said = yield from self._text(digits)
        return value if said == digits else said

    def _text(self, text: str) -> Generator[None, None, str]:
        """Return a text with personal data replaced by its kind, or withheld whole if that leaves a doubt.

        Of a text in which something is replaced, the characters that nobody sees are left out.
        """
        seen = masked = plain(text)
        shapes = [SPELLED] if len(text) > _LONG or SPELLING.search(seen) else []
        if _HINT.search(text):
            shapes.append(LOOSE)
            for kind in self._kinds:
                masked = yield from self._replaced(masked, kind)
        doubted = False
        for kind, shape in ((kind, shape[kind]) for kind in self._kinds for shape in shapes):
            if (yield from self._first(shape, masked)) is not None:
                self.counts[self._part, kind] += 1
                self._doubts.add((self._part, kind))
                doubted = True
        if doubted:
            return MASKED
        return text if masked is seen else masked

    def _replaced(self, text: str, kind: PersonalData) -> Generator[None, None, str]:
        pieces: list[str] = []
        done = 0
        for found in SHAPES[kind].search(text):
            if self._spend(_steps_for(found)):
                yield
            if not isinstance(found, int):
                pieces += (text[done : found[0]], f"[{kind}]")
                done = found[1]
                self.counts[self._part, kind] += 1
        return "".join((*pieces, text[done:])) if pieces else text

    def _first(self, shape: Shape, text: str) -> Generator[None, None, Span | None]:
        """Return the first place of a text that has the shape."""
        for found in shape.search(text):
            if self._spend(_steps_for(found)):
                yield
            if not isinstance(found, int):
                return found
        return None

    def _spend(self, steps: int) -> bool:
        """Count steps, and return whether others should have their turn now. Raises: _OutOfSteps."""
        self._left -= steps
        if self._left < 0:
            raise _OutOfSteps
        if self._left > self._turn:
            return False
        self._turn = self._left - _TURN
        return True


def _steps_for(found: Span | int) -> int:
    """Return the steps of finding something, or of having read so many characters."""
    return found // _CHARACTERS_PER_STEP if isinstance(found, int) else _STEPS_PER_FOUND


def masking(request: Request, applied: Sequence[Applied]) -> Sequence[Applied]:
    """Return the policies whose masks concern what the phase of the request shows."""
    return [each for each in applied if each.policy.mask is not None] if SHOWN[request.phase] else ()


async def carry_out(request: Request, applied: Sequence[Applied], combined: Combined) -> Combined:
    """Return what is decided once the masks of `applied` are carried out.

    Shape: `masked` holds the parts of which something is withheld; a block shows nothing, quotes included.
    """
    masks = {each.policy.id: each.policy.mask for each in applied if each.policy.mask is not None}
    sent = {part: getattr(request, part) for part in SHOWN[request.phase]}
    sent = {part: value for part, value in sent.items() if value is not UNSET and value is not None}
    if not sent or (combined.outcome == "block" and not has_quotes(combined)):
        return combined
    walk = _Walk(sent, list(masks.values()))
    try:
        for _ in walk.run():
            await asyncio.sleep(0)
    except _OutOfSteps:
        shown: Object = dict.fromkeys(sent, MASKED)
        found = dict.fromkeys(masks, _all_withheld(sent))
    else:
        touched = {path.split(".")[0] for path, _ in walk.counts}
        shown = {part: value for part, value in walk.shown.items() if part in touched}
        results = {ident: walk.result(mask) for ident, mask in masks.items()}
        found = {ident: result for ident, result in results.items() if result is not None}
    if not found:
        return combined
    combined = without_quotes(combined, sent, shown, MASKED)
    if combined.outcome == "block":
        return combined
    combined = with_masks(combined, found, {each.policy.id: each.policy.undecided for each in applied})
    return combined if combined.outcome == "block" else msgspec.structs.replace(combined, masked=shown)


def _all_withheld(sent: Mapping[str, object]) -> MaskResult:
    return MaskResult(
        redactions=tuple(Redaction(path=part, kind="field", count=1) for part in sorted(sent)),
        code="mask_budget",
        message="There is more to mask than the steps of one decision allow: everything is withheld.",
    )
