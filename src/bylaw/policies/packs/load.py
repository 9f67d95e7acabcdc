"""Loading packs and their cases: from a directory, or from documents that somebody else read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, cast, get_args

import msgspec

from bylaw.core.canonical_json import Json
from bylaw.core.errors import InvalidInput, Problem
from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.policies.model import Reach
from bylaw.policies.packs.documents import Document, load_document, located
from bylaw.policies.packs.model import (
    CASES_FORMAT,
    NAME_PATTERN,
    PACK_FORMAT,
    REPLAY_FORMAT,
    Case,
    CasesFile,
    Folder,
    Pack,
    PackedPolicy,
    PackFile,
    WrittenCase,
    WrittenDefaults,
    WrittenExpectation,
    WrittenPlace,
    WrittenPolicy,
    WrittenPolicyResult,
)
from bylaw.policies.parse import FIELDS, MAX_DESCRIPTION, read_content
from bylaw.policies.reader import Reader, join
from bylaw.policies.rules import Reading
from bylaw.policies.warnings import warnings_about
from bylaw.tenancy.model import EVERYWHERE, Place
from bylaw.tenancy.naming import MAX_ID

MAX_FILES = 1_000
MAX_POLICIES = 10_000
MAX_CASES = 10_000
CASES_FOLDER: Final = "cases"

_NO_PACK: Final = (
    "The file has neither pack nor policies. Every .yaml file in the directory is read as a pack, or as cases"
    f" inside a folder {CASES_FOLDER}: name the directory of the packs, or keep this file elsewhere."
)
_NAME: Final = re.compile(NAME_PATTERN)
_REACHES: Final[tuple[Reach, ...]] = get_args(Reach)


def load_folder(path: Path) -> Folder:
    """Return the packs in a directory, its subdirectories included, and the cases in its `cases` folders.

    Mappings of recordings, which may lie beside them, are passed over.
    Raises: InvalidInput that names file, line and column of everything that is wrong.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for file in _files(path):
        name = file.name if path.is_file() else file.relative_to(path).as_posix()
        try:
            documents.append(load_document(_text(file, name), file=name))
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput("The files are not usable.", *problems)
    documents = [document for document in documents if not _is_mapping(document)]
    cases = [document for document in documents if CASES_FOLDER in document.file.split("/")[:-1]]
    packs = [document for document in documents if document not in cases]
    if not packs:
        raise InvalidInput(f"No pack in {path}: a pack is a .yaml file with a pack name and policies.")
    parsed = parse_packs(packs)
    return Folder(
        packs=parsed,
        documents=tuple(packs),
        cases=parse_cases(cases),
        warnings=(
            *(warning for document in documents for warning in document.warnings),
            *_warnings(parsed, packs),
        ),
    )


def parse_packs(documents: Sequence[Document]) -> tuple[Pack, ...]:
    """Return the packs in `documents`, each with its policies in the order of their slugs.

    Raises: InvalidInput that names everything that is wrong, where it stands.
    """
    problems: list[Problem] = []
    found: dict[str, PackedPolicy] = {}
    names: set[str] = set()
    for document in documents:
        reader = Reader()
        if isinstance(document.value, dict) and not {"pack", "policies"} & document.value.keys():
            reader.refuse("", "no_pack", _NO_PACK)
            problems += [located(problem, document) for problem in reader.problems]
            continue
        fields = reader.fields(document.value, PackFile.__struct_fields__, "")
        pack = _name(fields.get("pack", ""), "pack", reader)
        names.add(pack)
        for policy in _policies(fields, pack, reader=reader, file=document.file):
            if policy.slug in found:
                message = f"{policy.slug} is written in {found[policy.slug].file} already."
                reader.refuse(policy.path, "duplicate_key", message)
            found[policy.slug] = policy
        problems += [located(problem, document) for problem in reader.problems]
    if problems:
        raise InvalidInput("The packs are not usable.", *problems)
    packs: dict[str, list[PackedPolicy]] = {name: [] for name in sorted(names)}
    for slug in sorted(found):
        packs[slug.partition("/")[0]].append(found[slug])
    return tuple(Pack(name=name, policies=tuple(policies)) for name, policies in packs.items())


def parse_cases(documents: Sequence[Document]) -> tuple[Case, ...]:
    """Return the cases in `documents`, in their order. Raises: InvalidInput as `parse_packs` does."""
    problems: list[Problem] = []
    found: list[Case] = []
    for document in documents:
        reader = Reader()
        found += _cases(document, reader)
        problems += [located(problem, document) for problem in reader.problems]
    if problems:
        raise InvalidInput("The cases are not usable.", *problems)
    return tuple(found)


def _is_mapping(document: Document) -> bool:
    """Return whether the file says how a recording becomes requests."""
    return isinstance(document.value, dict) and document.value.get("format") == REPLAY_FORMAT


def _warnings(packs: Sequence[Pack], documents: Sequence[Document]) -> Iterator[Problem]:
    """Yield the warnings about the policies, with the lines of their files."""
    files = {document.file: document for document in documents}
    for policy in (policy for pack in packs for policy in pack.policies):
        yield from (located(warning, files[policy.file]) for warning in policy.warnings)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InvalidInput(f"There is no directory or file {path}.")
    files = sorted(
        file
        for file in path.rglob("*")
        if file.suffix in {".yaml", ".yml"}
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if len(files) > MAX_FILES:
        raise InvalidInput(f"At most {MAX_FILES} files; {path} has {len(files)}.")
    return files


def _text(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"The file is not UTF-8: byte {error.start} cannot be read."
        raise InvalidInput.of(name, "not_utf8", message) from None


def _policies(fields: Mapping[str, object], pack: str, *, reader: Reader, file: str) -> list[PackedPolicy]:
    _check_format(fields, PACK_FORMAT, reader)
    reader.text(fields.get("description", ""), "description", most=MAX_DESCRIPTION)
    defaults = _defaults(fields.get("defaults", {}), reader)
    written = reader.mapping(fields.get("policies"), "policies")
    if len(written) > MAX_POLICIES:
        reader.refuse("policies", "too_many", f"At most {MAX_POLICIES} policies in one file.")
        return []
    policies = []
    for key, value in written.items():
        path = join("policies", key)
        slug = f"{pack}/{_name(key, path, reader)}"
        own = reader.fields(value, WrittenPolicy.__struct_fields__, path)
        policies.append(_policy({**defaults, **own}, slug, path, reader=reader, file=file))
    return policies


def _defaults(value: object, reader: Reader) -> Mapping[str, object]:
    """Return what holds for every policy of a file, or nothing when something is wrong with it."""
    defaults = reader.fields(value, WrittenDefaults.__struct_fields__, "defaults")
    before = len(reader.problems)
    trial = {"name": "-", "rules": [{"text": "-"}], **defaults}
    _policy(trial, "-/-", "defaults", reader=reader, file="")
    return defaults if len(reader.problems) == before else {}


def _policy(fields: Mapping[str, object], slug: str, path: str, *, reader: Reader, file: str) -> PackedPolicy:
    plain = {name: value for name, value in fields.items() if name in FIELDS}
    ident, before = fields.get("id"), len(reader.problems)
    content = read_content(plain, Reading(reader=reader, path=path))
    return PackedPolicy(
        slug=slug,
        id=None if ident is None else reader.text(ident, join(path, "id"), most=MAX_ID, blank=False),
        place=_place(fields.get("place"), join(path, "place"), reader),
        reach=reader.choice(fields.get("reach", "place"), join(path, "reach"), _REACHES, "place"),
        is_active=reader.flag(fields.get("active", True), join(path, "active")),
        fields=cast("Mapping[str, Json]", plain),
        content=content,
        file=file,
        path=path,
        warnings=warnings_about(content, path) if len(reader.problems) == before else (),
    )


def _place(value: object, path: str, reader: Reader) -> Place:
    if value is None:
        return EVERYWHERE
    fields = reader.fields(value, WrittenPlace.__struct_fields__, path)
    workspace = fields.get("workspace", "")
    place = Place(
        workspace_id=WorkspaceId(reader.text(workspace, join(path, "workspace"), most=MAX_ID, blank=False))
    )
    if "repo" not in fields:
        return place
    repo = reader.text(fields["repo"], join(path, "repo"), most=MAX_ID, blank=False)
    return Place(workspace_id=place.workspace_id, repo_id=RepoId(repo))


def _name(value: object, path: str, reader: Reader) -> str:
    name = reader.text(value, path, most=MAX_ID)
    if not _NAME.fullmatch(name):
        message = "A name has lower-case letters, digits, '.', '_' and '-', and at most 64 of them."
        reader.refuse(path, "bad_name", message)
    return name


def _check_format(fields: Mapping[str, object], wanted: str, reader: Reader) -> None:
    if "format" in fields:
        reader.choice(fields["format"], "format", (wanted,), wanted)


def _cases(document: Document, reader: Reader) -> list[Case]:
    fields = reader.fields(document.value, CasesFile.__struct_fields__, "")
    _check_format(fields, CASES_FORMAT, reader)
    cases = []
    for index, item in enumerate(reader.items(fields.get("cases"), "cases", most=MAX_CASES)):
        path = f"cases[{index}]"
        mark = document.marks.get(path)
        before = len(reader.problems)
        _check_fields(item, path, reader)
        if len(reader.problems) > before:
            continue
        try:
            written = msgspec.convert(item, WrittenCase)
        except msgspec.ValidationError as error:
            why, _, where = str(error).partition(" - at `$")
            reader.refuse(path + where.rstrip("`"), "bad_value", f"{why}.")
        else:
            cases.append(Case(file=document.file, line=0 if mark is None else mark.line, written=written))
    return cases


def _check_fields(item: object, path: str, reader: Reader) -> None:
    """Name every unknown field of a case with the one that it resembles."""
    case = reader.fields(item, WrittenCase.__struct_fields__, path)
    at = join(path, "expect")
    expect = reader.fields(case.get("expect", {}), WrittenExpectation.__struct_fields__, at)
    for slug, value in reader.mapping(expect.get("policies", {}), join(at, "policies")).items():
        reader.fields(value, WrittenPolicyResult.__struct_fields__, join(join(at, "policies"), slug))
