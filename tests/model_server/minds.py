"""Minds for the server of models: how one reads what it is told, and what it makes of it.

`Case` is a judge's prompt as a model reads it: rules from the system text, lines from between the marks.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bylaw.evaluators.model.prompt import CONTROLS
from tests.model_server.server import Answer, Asked

Result = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a judge is asked: the rules by their ids, and the lines of the record."""

    rules: Mapping[str, dict]
    lines: tuple[dict, ...]
    is_cut: bool

    def ident(self, text: str) -> str:
        """Return the id of the rule that says `text`."""
        return next(ident for ident, rule in self.rules.items() if rule["text"] == text)


def case_of(asked: Asked) -> Case:
    """Return what a judge is asked."""
    _, _, told = asked.system.partition("# RULES\n")
    found = re.search(r"<record ([0-9a-f]+)>\n(.*)\n</record \1>\n(.*)", asked.user, re.DOTALL)
    return Case(
        rules={rule["id"]: rule for rule in map(json.loads, told.splitlines())},
        lines=tuple(map(json.loads, found[2].split("\n"))) if found[2] else (),
        is_cut="is cut" in found[3],
    )


def result(ident: str, verdict: str, *quotes: tuple[str, str], **fields: object) -> Result:
    """Return one entry of an answer; `quotes` are pairs of a line's id and words."""
    return {
        "rule_id": ident,
        "applies": verdict != "not_applicable",
        "analysis": "Because of what is said.",
        "evidence": [{"message_id": each, "quote": quote} for each, quote in quotes],
        "verdict": verdict,
        "confidence": "high",
        "missing": "",
    } | fields


def honest(case: Case, ident: str) -> Result:
    """Return what somebody careful says of the control, and of rules that name what is not to be said."""
    rule = case.rules[ident]
    words = re.findall(r"'([^']+)'", rule["text"])
    for topic, names in CONTROLS.items():
        if rule["text"] == f"No note in the record names {topic}.":
            words = [*names]
    roles = [role for role in ("agent", "customer") if role in rule["text"].replace("answer", "agent")]
    for line in case.lines:
        for word in words if not roles or line["role"] in roles else ():
            if word in line["text"]:
                found = "violation" if rule["effect"] == "reject" else "flag"
                return result(ident, found, (line["id"], word))
    return result(ident, "compliant")


def said(results: object, **fields: object) -> Answer:
    """Return an answer with these entries."""
    return Answer(text=json.dumps({"results": results}), **fields)


def judge(mind: Callable[[Case, str], Result | None] = honest) -> Callable[[Asked], Answer]:
    """Return a script that judges each rule as `mind` does; None leaves it out."""

    def script(asked: Asked) -> Answer:
        case = case_of(asked)
        return said([found for ident in case.rules if (found := mind(case, ident)) is not None])

    return script
