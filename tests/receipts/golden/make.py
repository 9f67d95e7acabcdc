"""Writes the golden vectors: `python -m tests.receipts.golden.make`. Fixed keys, time and randomness.

bundles.json       cases of one bundle: the file's text, what is trusted, and what each step must come to
flipped_bits.json  the valid bundle with one bit flipped in each field: none may verify
logs.json          cases of a whole log as an export
"""

import asyncio
import copy
import json
from pathlib import Path

from bylaw.receipts import bundle as bundles
from bylaw.receipts import dsse, proof
from bylaw.receipts.issue import cross_anchor, key_changed
from bylaw.receipts.signing import KeySet
from tests.receipts.book import Book, decision, exported, signer

FOLDER = Path(__file__).parent
HOUR = 3_600_000
# With a key set from outside, the own one is not used; only its kid and x must agree with one another.
UNUSED = [f"/keys/keys/0/{name}" for name in ("alg", "crv", "kty", "since", "use")]


def main() -> None:
    write("bundles.json", bundle_cases())
    write("flipped_bits.json", flipped_bits())
    write("logs.json", asyncio.run(log_cases()))


def write(name: str, value: object) -> None:
    (FOLDER / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def valid() -> tuple[Book, bundles.Bundle]:
    book = Book()
    book.fill(3)
    book.record(book.issuer.signed(book.issue(claim=decision("review"))), book.issue())
    book.fill(6)
    return book, book.bundle(3, parts=["detail", "request"])


def bundle_cases() -> list[dict[str, object]]:
    book, bundle = valid()
    text = bundles.write(bundle).decode()
    keys, later = book.keys.jwks().decode(), book.clock.now_ms() + HOUR
    revoked = book.keys.with_revoked(book.signer.kid, later).jwks().decode()
    at_issue = book.keys.with_revoked(book.signer.kid, book.leaves[3].entry.issued_ms).jwks().decode()
    kept = [held.note.decode() for held in book.checkpoints]
    cases = [
        case("valid", text, "verified", keys=keys),
        case("valid, but only the bundle's own keys", text, "incomplete", trust="skipped"),
        case("valid, kept checkpoint of the same size", text, "verified", kept=kept[2]),
        case("kept checkpoint of another size", text, "incomplete", kept=kept[0], trust="skipped"),
        case("kept checkpoint of another size, with proof", linked(book, bundle), "verified", kept=kept[0]),
        case("kept checkpoint of a forked log", text, "invalid", kept=forked(), trust="fail"),
        case(
            "wrong key", text, "invalid", keys=strangers(), checkpoint="fail", keys_="fail", signature="fail"
        ),
        case("revoked after the receipt was issued", text, "verified", keys=revoked),
        case("revoked before the receipt was issued", text, "invalid", keys=at_issue, keys_="fail"),
        rotated(),
        case("erased body", bare(book), "verified", keys=keys, parts="skipped"),
        case("body withheld in part", withheld(book), "verified", keys=keys),
        changed("disclosed body tampered", bundle, keys, ("parts", 0, "content"), "W10=", parts="fail"),
        changed("disclosed body under another name", bundle, keys, ("parts", 0, "name"), "x", parts="fail"),
        changed("policy text replaced", bundle, keys, ("policies", 0, "content"), "{}", policies="fail"),
        changed("proof of another leaf", bundle, keys, ("inclusion", "index"), 4, inclusion="fail"),
        changed("proof cut short", bundle, keys, ("inclusion", "hashes"), [], inclusion="fail"),
        changed("unknown bundle format", bundle, keys, ("format",), "bylaw.bundle/2", status="refused"),
        changed("unknown member", bundle, keys, ("note",), "trust me", bundle_="fail"),
        changed("unknown receipt format", bundle, keys, ("receipt",), newer(bundle), status="refused"),
        changed("not a checkpoint", bundle, keys, ("checkpoint",), "x", bundle_="fail"),
        changed("not canonical", bundle, keys, ("receipt",), bundle.receipt + " ", receipt="fail"),
        case("cut file", text[: len(text) // 2], "invalid", keys=keys, bundle="fail"),
        case("empty file", "", "invalid", bundle="fail"),
    ]
    export = dsse.export(book.leaves[3].entry.id, book.leaves[3].entry.receipt, book.signer).decode()
    return [
        *cases,
        case("DSSE export", export, "verified", keys=keys),
        case("DSSE export, no keys", export, "incomplete", trust="skipped"),
        case("DSSE export, wrong key", export, "invalid", keys=strangers(), signature="fail", keys_="fail"),
    ]


def case(
    name: str, text: str, status: str, *, keys: str | None = None, kept: str | None = None, **steps: str
) -> dict[str, object]:
    named = {step.removesuffix("_"): result for step, result in steps.items()}
    return {"name": name, "file": text, "keys": keys, "kept": kept, "status": status, "steps": named}


def changed(
    name: str, bundle: bundles.Bundle, keys: str, path: tuple[str | int, ...], value: object, **steps: str
) -> dict[str, object]:
    status = steps.pop("status", "invalid")
    return case(name, patched(bundles.write(bundle).decode(), path, value), status, keys=keys, **steps)


def patched(text: str, path: tuple[str | int, ...], value: object) -> str:
    data = json.loads(text)
    place = data
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(data, indent=1, ensure_ascii=False)


def linked(book: Book, bundle: bundles.Bundle) -> str:
    old, size = book.checkpoints[0].size, book.checkpoints[-1].size
    tiles = book.tiles(proof.tiles_of_consistency(old, size), size)
    return bundles.write(bundles.with_consistency(bundle, old, size, tiles)).decode()


def forked() -> str:
    """The checkpoint of the same size that the same key signed over other leaves."""
    other = Book().fill(11)
    return other.checkpoints[-1].note.decode()


def strangers() -> str:
    return KeySet().with_active(signer(9).public, 0).jwks().decode()


def rotated() -> dict[str, object]:
    """A receipt of the old key, under a checkpoint of the new one."""
    book = Book().fill(2)
    old = book.signer
    book.rotate(2)
    book.record(book.issue(claim=key_changed(old.public, "retired", book.clock.now_ms()), tenant=None))
    book.clock.advance(HOUR)
    book.fill(2)
    return case("rotated", bundles.write(book.bundle(1)).decode(), "verified", keys=book.keys.jwks().decode())


def bare(book: Book) -> str:
    return bundles.write(book.bundle(3)).decode()


def withheld(book: Book) -> str:
    return bundles.write(book.bundle(3, parts=["detail"])).decode()


def newer(bundle: bundles.Bundle) -> str:
    return bundle.receipt.replace("bylaw.receipt/1", "bylaw.receipt/2")


def flipped_bits() -> dict[str, object]:
    """Return the valid bundle and, for each field of it and its receipt, the value with one bit flipped."""
    book, bundle = valid()
    text = bundles.write(bundle).decode()
    flips = []
    for pointer, value in fields(json.loads(text)):
        if pointer == "/receipt":
            flips += [
                {"field": f"/receipt#{inner}", "value": flip(each)}
                for inner, each in fields(json.loads(bundle.receipt))
            ]
        flips.append({"field": pointer, "value": flip(value)})
    return {
        "keys": book.keys.jwks().decode(),
        "kept": book.checkpoints[-1].note.decode(),
        "file": text,
        "unused_with_outside_keys": UNUSED,
        "flips": flips,
    }


def fields(value: object, pointer: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in fields(item, f"{pointer}/{name}")]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in fields(item, f"{pointer}/{at}")]
    return [(pointer, value)]


def flip(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    assert isinstance(value, str)
    at = len(value) // 2
    return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


async def log_cases() -> list[dict[str, object]]:
    first, second = Book(), Book("example.org/main/w2", seed=5)
    first.fill(3, 1)
    linked_to_first = cross_anchor(second.origin, [first.checkpoints[-1]])
    second.fill(2)
    second.record(second.issue(claim=linked_to_first, tenant=None, contents={}))
    first.fill(2, 2)
    keys = KeySet((*first.keys.keys, *second.keys.keys))
    lines = await exported(first, second)
    trust = keys.jwks().decode()
    kept = first.checkpoints[-1].note.decode()
    short = Book()
    short.fill(3)
    return [
        audit_case("valid", [], lines, "verified", keys=trust),
        audit_case("valid, but only its own keys", [], lines, "incomplete"),
        audit_case("kept checkpoint", [], lines, "verified", kept=kept),
        audit_case("a leaf is missing", ["gap", "changed_leaf", "cut_file"], without(lines, 2), keys=trust),
        audit_case(
            "two leaves are exchanged", ["gap", "gap", "gap", "changed_leaf"], exchanged(lines), keys=trust
        ),
        audit_case("a leaf is rewritten", ["changed_leaf"], rewritten(lines), keys=trust),
        audit_case("the file is cut", ["cut_file", "unsigned_tail"], lines[:6], keys=trust),
        audit_case("truncated tail", ["cut_log"], await exported(short), keys=trust, kept=kept),
        audit_case("another log is missing", ["missing_link"], await exported(second), keys=trust),
        audit_case(
            "the anchored log was rewritten", ["split_view"], await exported(fork(first), second), keys=trust
        ),
        audit_case("two histories", ["split_view"], lines, keys=trust, kept=forked_at(first)),
        audit_case("wrong key", ["unknown_key"], lines, keys=strangers()),
        audit_case("revoked in the log", ["key_out_of_time", "key_out_of_time"], await revoked(), keys=None),
        audit_case(
            "an uncovered tail", ["cut_file", "unsigned_tail"], lines_without_last_note(lines), keys=trust
        ),
        audit_case(
            "unknown format", ["malformed"], [lines[0].replace(b"log/1", b"log/2")], "refused", keys=trust
        ),
        audit_case("empty file", ["cut_file"], [], keys=trust),
    ]


def audit_case(
    name: str,
    codes: list[str],
    lines: list[bytes],
    status: str = "invalid",
    *,
    keys: str | None = None,
    kept: str | None = None,
) -> dict[str, object]:
    text = b"".join(lines).decode()
    return {"name": name, "codes": codes, "file": text, "keys": keys, "kept": kept, "status": status}


def without(lines: list[bytes], at: int) -> list[bytes]:
    return lines[:at] + lines[at + 1 :]


def exchanged(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], *lines[3:]]


def rewritten(lines: list[bytes]) -> list[bytes]:
    changed_line = lines[2].replace(b"agent-7", b"agent-8")
    assert changed_line != lines[2]
    return [*lines[:2], changed_line, *lines[3:]]


def fork(book: Book) -> Book:
    """The same log, honest keys and all, with another first receipt."""
    other = Book(book.origin)
    other.record(other.issue(claim=decision(agent="agent-8")), *(other.issue() for _ in range(2)))
    return other.fill(1, 2, 2)


def forked_at(book: Book) -> str:
    return fork(book).checkpoints[-1].note.decode()


async def revoked() -> list[bytes]:
    book = Book().fill(2)
    claim = key_changed(book.signer.public, "revoked", book.clock.now_ms())
    book.record(book.issue(claim=claim, tenant=None, contents={}))
    return await exported(copy.copy(book))


def lines_without_last_note(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-2], lines[-1]]


if __name__ == "__main__":
    main()
