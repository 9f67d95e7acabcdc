from pathlib import Path

import pytest

from bylaw.core.errors import InvalidInput
from bylaw.policies.packs.documents import Document, load_document
from bylaw.policies.packs.load import load_folder, parse_cases, parse_packs
from bylaw.tenancy.model import EVERYWHERE, Place

FINANCE = """\
format: bylaw.pack/1
pack: finance
description: Payments
defaults:
  place: {workspace: w1}
  risk: HIGH
  topic: payments
policies:
  limit:
    name: Invoices above the limit need approval
    action: review
    rules:
      - expr: amount < 5000
        message: Above 5,000 a person approves.
      - text: Reject payments to unknown vendors.
    conditions: {currency: EUR}
  discounts:
    name: Discounts
    place: null
    topic: null
    reach: bound
    active: false
    rules:
      - text: Flag discounts above 10 %.
"""

CASES = """\
cases:
  - name: small
    request: {phase: tool_call, metadata: {amount: 3}}
    verdicts: {limit/r2: satisfied}
    expect:
      outcome: allow
      policies:
        limit: {rules: {r1: satisfied}}
"""


def problems(*texts: str, parse=parse_packs) -> dict[str, str]:
    documents = [load_document(text, file=f"f{number}.yaml") for number, text in enumerate(texts)]
    with pytest.raises(InvalidInput) as caught:
        parse(documents)
    return {problem.path: problem.code for problem in caught.value.problems}


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_folder_holds_packs_and_their_cases(tmp_path):
    folder = load_folder(write(tmp_path, finance=FINANCE, cases__small=CASES, sub__cases__more=CASES))
    (pack,) = folder.packs
    discounts, limit = pack.policies
    assert (pack.name, discounts.slug, limit.slug) == ("finance", "finance/discounts", "finance/limit")
    assert (limit.place, limit.reach, limit.is_active) == (Place(workspace_id="w1"), "place", True)
    assert (discounts.place, discounts.reach, discounts.is_active) == (EVERYWHERE, "bound", False)
    assert (limit.content.risk, limit.content.action, limit.content.topic) == ("HIGH", "review", "payments")
    assert (discounts.content.topic, discounts.content.rules[0].effect) == (None, "flag")
    assert [case.file for case in folder.cases] == ["cases/small.yaml", "sub/cases/more.yaml"]
    assert (folder.cases[0].line, folder.cases[0].written.expect.outcome) == (2, "allow")
    assert folder.cases[0].written.request == {"phase": "tool_call", "metadata": {"amount": 3}}


def test_one_file_is_a_folder_of_its_own(tmp_path):
    write(tmp_path, finance=FINANCE)
    assert load_folder(tmp_path / "finance.yaml").documents[0].file == "finance.yaml"


def test_hidden_files_and_other_kinds_are_left_alone(tmp_path):
    write(tmp_path, finance=FINANCE)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("not: a pack")
    (tmp_path / "notes.txt").write_text("nothing")
    assert len(load_folder(tmp_path).packs) == 1


def test_files_of_one_pack_belong_together(tmp_path):
    more = "pack: finance\npolicies:\n  extra: {name: Extra, rules: [{text: Reject it.}]}\n"
    other = "pack: hr\npolicies: {}\n"
    packs = load_folder(write(tmp_path, a=FINANCE, b=more, c=other)).packs
    assert [(pack.name, len(pack.policies)) for pack in packs] == [("finance", 3), ("hr", 0)]
    assert problems(more, more) == {"f1.yaml:3:3 policies.extra": "duplicate_key"}


def test_everything_that_is_wrong_is_named_with_line_and_column():
    assert problems(
        """\
pack: Finance Team
format: bylaw.pack/9
descripton: x
defaults: {acton: log}
policies:
  a:
    name: A
    rule: []
    rules:
      - expr: amount <
  b:
    name: B
    rules: [{text: x}]
    place: {repo: r}
    active: yes
    reach: bond
  C d: 3
"""
    ) == {
        "f0.yaml:1:1 pack": "bad_name",
        "f0.yaml:2:1 format": "unknown_value",
        "f0.yaml:3:1 descripton": "unknown_field",
        "f0.yaml:4:12 defaults.acton": "unknown_field",
        "f0.yaml:8:5 policies.a.rule": "unknown_field",
        "f0.yaml:10:9 policies.a.rules[0].expr": "rule_syntax",
        "f0.yaml:14:5 policies.b.place.workspace": "required",
        "f0.yaml:15:5 policies.b.active": "wrong_type",
        "f0.yaml:16:5 policies.b.reach": "unknown_value",
        "f0.yaml:17:3 policies.C d": "wrong_type",
        "f0.yaml:17:3 policies.C d.name": "required",
        "f0.yaml:17:3 policies.C d.rules": "required",
    }


def test_wrong_defaults_are_named_once():
    text = "pack: p\ndefaults: {risk: high}\npolicies:\n" + "".join(
        f"  p{n}: {{name: n, rules: [{{text: t}}]}}\n" for n in range(3)
    )
    assert problems(text) == {"f0.yaml:2:12 defaults.risk": "unknown_value"}


@pytest.mark.parametrize("text", ["", "[]", "x", "pack: p", "policies: {}", "pack: p\npolicies: []"])
def test_what_is_no_pack_is_refused(text):
    assert problems(text)


def test_problems_of_data_without_text_name_the_file():
    data = Document(file="a.yaml", value={"pack": "p", "policies": {"x": {"name": "n", "rules": []}}})
    with pytest.raises(InvalidInput) as caught:
        parse_packs([data])
    assert [problem.path for problem in caught.value.problems] == ["a.yaml policies.x.rules"]


def test_cases_are_read_strictly():
    text = """\
cases:
  - {name: a, request: {}, expect: {outcme: allow}}
  - {name: b, request: {}, expect: {outcome: alow}}
  - {name: c, request: {}, expect: {policies: {p: {rule: {}}}}}
  - {request: {}, expect: {}}
  - 7
"""
    assert problems(text, parse=parse_cases) == {
        "f0.yaml:2:37 cases[0].expect.outcme": "unknown_field",
        "f0.yaml:3:37 cases[1].expect.outcome": "bad_value",
        "f0.yaml:4:52 cases[2].expect.policies.p.rule": "unknown_field",
        "f0.yaml:5:5 cases[3]": "bad_value",
        "f0.yaml:6:5 cases[4]": "wrong_type",
    }


def test_a_folder_without_a_pack_is_refused(tmp_path):
    with pytest.raises(InvalidInput):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(InvalidInput):
        load_folder(tmp_path)
    (tmp_path / "x.yaml").write_bytes(b"pack: \xff")
    with pytest.raises(InvalidInput) as caught:
        load_folder(tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["not_utf8"]


def test_a_folder_is_bounded(tmp_path, monkeypatch):
    write(tmp_path, a=FINANCE, b="pack: hr\npolicies: {}\n")
    monkeypatch.setattr("bylaw.policies.packs.load.MAX_FILES", 1)
    with pytest.raises(InvalidInput, match="At most 1 files"):
        load_folder(tmp_path)
    monkeypatch.setattr("bylaw.policies.packs.load.MAX_POLICIES", 1)
    assert problems(FINANCE) == {"f0.yaml:8:1 policies": "too_many"}


def test_problems_of_several_files_come_together(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        load_folder(write(tmp_path, a="a: [", b="b: {"))
    assert len(caught.value.problems) == 2


def test_what_is_probably_not_meant_is_named_with_line_and_column(tmp_path):
    text = FINANCE.replace("{currency: EUR}", "{tool_call.name: pay}")
    folder = load_folder(write(tmp_path, finance=text))
    assert [(each.path, each.code) for each in folder.warnings] == [
        ("finance.yaml:16:18 policies.limit.conditions.tool_call.name", "other_phases")
    ]


def test_rules_that_do_not_compile_are_problems_and_no_warnings():
    text = FINANCE.replace("amount < 5000", "amount <")
    assert list(problems(text)) == ["f0.yaml:13:9 policies.limit.rules[0].expr"]
