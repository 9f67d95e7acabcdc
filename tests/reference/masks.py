"""What masks withhold, as slow and plain as possible: one recursion over one part at a time.

Where something stands in a text is taken from `bylaw.evaluators.patterns`; this has no steps and no turns.
"""

from collections import Counter
from dataclasses import dataclass, field

from bylaw.evaluators.patterns import LOOSE, SHAPES, plain
from bylaw.policies.mask import SHOWN

MASKED = "[masked]"


@dataclass
class Withheld:
    # The parts that differ from what was sent; (path, kind) → how often, and the failing places, by policy.
    shown: dict[str, object] = field(default_factory=dict)
    redactions: dict[str, Counter] = field(default_factory=dict)
    failed: dict[str, set[str]] = field(default_factory=dict)


def withhold(request: dict, masks: dict) -> Withheld:
    """Carry out `masks`, by policy id, on a request as plain data."""
    found = Withheld(
        redactions={ident: Counter() for ident in masks}, failed={ident: set() for ident in masks}
    )
    kinds = [kind for kind in SHAPES if any(kind in mask.personal_data for mask in masks.values())]
    for part in SHOWN[request.get("phase", "decision")]:
        if request.get(part) is None:
            continue
        wanted = [
            (ident, path.split(".")[1:])
            for ident, mask in masks.items()
            for path in mask.fields
            if path.split(".")[0] == part
        ]
        before = sum(map(Counter.total, found.redactions.values()))
        masked = visit(request[part], part, wanted, Data(part, kinds, masks, found))
        if sum(map(Counter.total, found.redactions.values())) > before:
            found.shown[part] = masked
    return found


@dataclass
class Data:
    part: str
    kinds: list[str]
    masks: dict
    found: Withheld

    def text(self, text: str) -> str:
        seen = plain(text)
        masked = self.masked(seen)
        return text if masked == seen else masked

    def masked(self, text: str) -> str:
        for kind in self.kinds:
            for start, end in reversed(places(SHAPES[kind], text)):
                text = f"{text[:start]}[{kind}]{text[end:]}"
                self.count(kind)
        doubtful = [kind for kind in self.kinds if places(LOOSE[kind], text)]
        for kind in doubtful:
            for ident in self.count(kind):
                self.found.failed[ident].add(self.part)
        return MASKED if doubtful else text

    def count(self, kind: str) -> list[str]:
        """Count one more text of the kind, and return the policies that withhold it."""
        asking = [ident for ident, mask in self.masks.items() if kind in mask.personal_data]
        for ident in asking:
            self.found.redactions[ident][self.part, kind] += 1
        return asking


def places(shape, text: str) -> list[tuple[int, int]]:
    return [found for found in shape.search(text) if not isinstance(found, int)]


def visit(value, at: str, wanted: list, data: Data):
    here = {ident for ident, steps in wanted if not steps}
    if not here and value is not None:
        here = {ident for ident, steps in wanted if not isinstance(value, list if steps[0] == "*" else dict)}
        for ident in here:
            data.found.failed[ident].add(at)
    if here:
        for ident in here:
            data.found.redactions[ident][at, "field"] += 1
        return MASKED
    if isinstance(value, list):
        inside = [(ident, steps[1:]) for ident, steps in wanted]
        return [visit(item, f"{at}.*", inside, data) for item in value]
    if isinstance(value, dict):
        shown = {}
        for key, item in value.items():
            inside = [(ident, steps[1:]) for ident, steps in wanted if steps[0] == key]
            name, number = data.text(key), 1
            free = name
            while free in shown:
                number += 1
                free = f"{name} {number}"
            shown[free] = visit(item, f"{at}.{key}", inside, data)
        return shown
    if isinstance(value, str):
        return data.text(value)
    if isinstance(value, (int, float)) and 10**12 <= abs(value) < 10**19 and "card" in data.kinds:
        digits = str(int(abs(value)))
        shown = data.text(digits)
        return value if shown == digits else shown
    return value
