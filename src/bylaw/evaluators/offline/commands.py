"""Rules about commands that tools must not be given to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.grammar import NEVER, NOT, TAIL, matches, wordings
from bylaw.evaluators.offline.reading import Reader, is_read
from bylaw.evaluators.offline.shape import ABSTAINED, ELSEWHERE, TOO_LONG, Ruling, Shape
from bylaw.evaluators.offline.subject import CALLS
from bylaw.evaluators.offline.things import quoted_of
from bylaw.evaluators.offline.words import find_words
from bylaw.evaluators.patterns import MOST_QUOTES
from bylaw.evaluators.protocol import EvaluatorBasis

_RUNS: Final = wordings(
    rf"(?:{NEVER}|(?:the )?(?:agent|assistant|bot|ai|model) {NOT}) (?:run|execute|issue)"
    rf" (?:(?:any |the |an? )?(?:[\w-]+ )?(?:commands?|sql|statements?|quer(?:y|ies)|scripts?)"
    rf"(?: (?:that (?:contain|include|use)s?|containing|including|with|like|such as))?:? )?"
    rf"(?P<what>.+?){TAIL}",
)
_NOWHERE: Final = Ruling(status="satisfied", rationale="Nothing that is passed to a tool begins like it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Broken by a call that is given one of the commands; kept where not even its first word is.

    With its first word alone it is open: `rm -r -f` is `rm -rf`.
    """

    commands: tuple[str, ...]

    name = "commands"
    basis: EvaluatorBasis = "pattern"
    gap = "A command with the same first word, written otherwise, takes a judge."
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        named = ", ".join(map(repr, self.commands))
        return f"Looks for {named} in what is passed to tools, and for nothing that begins like it."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        said = CALLS.texts(reader.facts)
        if not said.texts:
            return ELSEWHERE if reader.facts.get("phase") in {"input", "output"} else ABSTAINED
        ruling = _NOWHERE if all(map(is_read, said.texts)) else TOO_LONG
        for command in self.commands:
            quotes, _ = await _look(command, said.texts, reader)
            if quotes:
                return Ruling(status="violated", rationale="It is passed to a tool.", evidence=quotes)
            begun, is_ruled_out = await _look(command.split()[0], said.texts, reader)
            ruling = ruling if is_ruled_out and not begun else ABSTAINED
        return ruling


async def _look(words: str, texts: Sequence[str], reader: Reader) -> tuple[tuple[str, ...], bool]:
    """Return where words stand in texts, and whether they are ruled out in all of them."""
    found = [await reader.read(text, lambda seen: find_words(words, seen)) for text in texts]
    quotes = tuple(quote for each in found for quote in each.quotes)[:MOST_QUOTES]
    return quotes, all(each.shows_absence for each in found)


def read_commands(wording: str) -> Shape | None:
    """Return the shape of a rule about commands that must not run."""
    for found in matches(_RUNS, wording):
        things = quoted_of(found["what"].replace("`", '"'))
        if things is not None:
            return Commands(commands=tuple(thing.words for thing in things.each))
    return None
