"""Public sets of questions, read from the folder that `BYLAW_BENCH_DATA` names; none of it is part of Bylaw.

The folder holds clones: `RasaHQ/STAR`, `PolyAI-LDN/task-specific-datasets` and `clinc/oos-eval` of GitHub, by
the last part of the name. What is missing is left out.
"""

import csv
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = "BYLAW_BENCH_DATA"
_LESSONS = 10
# Of a task of STAR: what is said in each of them, and what is no sentence.
_SHARED = {"hello", "anything_else", "out_of_scope", "info_missing", "info_missing2"}
_SHARED |= {"query", "query_check", "query_book", "query_failure", "query_success"}


@dataclass(frozen=True, kw_only=True)
class Document:
    """What is to be found: as a policy has it, what it is about, with examples, and what it asks for."""

    name: str
    about: str
    procedure: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Task:
    """Questions with the names of what they mean, and `outside` with those that nothing here answers.

    `lessons` are other texts by the names of what they mean, as people would correct them: of the part of a
    set for training, or, where it has none, of what is not asked.
    """

    name: str
    documents: tuple[Document, ...]
    questions: tuple[tuple[str, str], ...]
    outside: tuple[str, ...] = ()
    lessons: Mapping[str, Sequence[str]] = field(default_factory=dict)


def tasks(most: int) -> Iterator[Task]:
    """Yield the tasks of the sets that are there, with at most `most` questions each, always the same."""
    named = os.environ.get(VARIABLE)
    if not named:
        return
    folder = Path(named)
    for turns in (1, 3):
        if (folder / "STAR").is_dir():
            yield star(folder / "STAR", turns, most)
    for examples in (0, 1, 5):
        if (folder / "task-specific-datasets").is_dir():
            yield banking(folder / "task-specific-datasets" / "banking_data", examples, most)
    for examples in (0, 1, 5):
        if (folder / "oos-eval").is_dir():
            yield clinc(folder / "oos-eval" / "data" / "data_full.json", examples, most)


def star(folder: Path, turns: int, most: int) -> Task:
    """Return: which of 24 tasks the customer's first turns belong to, where one was done and went well."""
    documents = []
    for path in sorted(folder.glob("tasks/*/*.json")):
        if path.stem == path.parent.name:
            told = json.loads(path.read_text("utf-8"))
            replies = told["replies"]
            steps = [said for name, said in replies.items() if name not in _SHARED and "{" not in said]
            scope = replies.get("out_of_scope", "").strip().rstrip(".").rpartition(".")[2].strip()
            about = f"{told['task'].replace('_', ' ')}\n{scope}"
            documents.append(Document(name=path.stem, about=about, procedure="\n".join(steps)))
    questions = []
    for path in sorted(folder.glob("dialogues/*.json")):
        told = json.loads(path.read_text("utf-8"))
        able = told["Scenario"]["WizardCapabilities"]
        if told["CompletionLevel"] == "Complete" and told["Scenario"]["Happy"] and len(able) == 1:
            said = [
                each["Text"]
                for each in told["Events"]
                if (each["Agent"], each["Action"]) == ("User", "utter")
            ]
            if said:
                questions.append((" ".join(said[:turns]), able[0]["Task"]))
    name = "STAR, first turn" if turns == 1 else f"STAR, first {turns} turns"
    asked = _some(questions, most)
    others = [each for each in questions if each not in set(asked)]
    return Task(name=name, documents=tuple(documents), questions=asked, lessons=_lessons(others))


def banking(folder: Path, examples: int, most: int) -> Task:
    """Return: which of 77 intents of a bank's customers a question has."""
    train, test = (
        [*csv.DictReader((folder / f"{part}.csv").open(encoding="utf-8"))] for part in ("train", "test")
    )
    documents = _intents([(each["text"], each["category"]) for each in train], examples)
    questions = [(each["text"], each["category"]) for each in test]
    return Task(
        name=_named("banking77", examples),
        documents=documents,
        questions=_some(questions, most),
        lessons=_lessons([(each["text"], each["category"]) for each in train]),
    )


def clinc(path: Path, examples: int, most: int) -> Task:
    """Return: which of 150 intents a question has, and questions that have none of them."""
    told = json.loads(path.read_text("utf-8"))
    return Task(
        name=_named("clinc150", examples),
        documents=_intents(told["train"], examples),
        questions=_some(told["test"], most),
        outside=tuple(text for text, _ in told["oos_test"][:most]),
        lessons=_lessons(told["train"]),
    )


def _named(name: str, examples: int) -> str:
    return f"{name}, {f'{examples} examples' if examples else 'names only'}"


def _intents(train: list, examples: int) -> tuple[Document, ...]:
    said = defaultdict(list)
    for text, intent in train:
        said[intent].append(text)
    rng = random.Random(4)
    return tuple(
        Document(name=each, about=each.replace("_", " "), examples=tuple(rng.sample(said[each], examples)))
        for each in sorted(said)
    )


def _lessons(train: list) -> dict[str, list[str]]:
    """Return some texts of each name, which are not those that stand as its examples more than by chance."""
    said = defaultdict(list)
    for text, name in train:
        said[name].append(text)
    rng = random.Random(5)
    return {name: rng.sample(said[name], min(_LESSONS, len(said[name]))) for name in sorted(said)}


def _some(questions: list, most: int) -> tuple[tuple[str, str], ...]:
    chosen = random.Random(4).sample(questions, min(most, len(questions)))
    return tuple((text, name) for text, name in chosen)
