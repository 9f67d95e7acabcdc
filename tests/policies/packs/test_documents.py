import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput, Problem
from bylaw.policies.packs.documents import Mark, load_document, locate_all, located
from bylaw.policies.packs.export import yaml_text

tricky = [
    "yes",
    "no",
    "on",
    "y",
    "null",
    "~",
    "true",
    "1",
    "01",
    "1.5",
    "1e5",
    "0x1f",
    "0o17",
    "<<",
    "=",
    "1:30",
]
tricky += [
    "2026-01-01",
    ".inf",
    "'",
    '"',
    "&a",
    "*a",
    "!t",
    "%a",
    "@a",
    "`a",
    "? a",
    "|",
    ">",
    "[",
    "{a",
    ",",
    "-",
]
tricky += ["", "- a", "a: b", "# x", "a\nb", " a\n  b\n", "\n", "a\n", "\t", " a ", "---", "..."]
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(tricky)
data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=15,
)


def problems(text: str) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        load_document(text, file="f.yaml")
    return list(caught.value.problems)


@given(data)
def test_what_is_written_is_read_again(value):
    assert load_document(yaml_text(value), file="f").value == value


@given(data)
def test_no_other_reader_takes_what_is_written_for_something_else(value):
    assert yaml.safe_load(yaml_text(value)) == value


@given(data)
def test_json_is_read_as_it_is(value):
    assert load_document(json.dumps(value, ensure_ascii=False), file="f").value == value


@given(st.text(max_size=60))
def test_any_text_is_data_or_a_named_problem(text):
    try:
        load_document(text, file="f.yaml")
    except InvalidInput as error:
        named = [problem.path for problem in error.problems]
    else:
        named = ["f.yaml"]
    assert all(path.startswith("f.yaml") for path in named)


def test_everything_stands_somewhere():
    document = load_document("a: 1\nb:\n  - x\n  - {c: d}\n", file="f.yaml")
    assert document.value == {"a": 1, "b": ["x", {"c": "d"}]}
    assert document.marks == {
        "a": Mark(line=1, column=1),
        "b": Mark(line=2, column=1),
        "b[0]": Mark(line=3, column=5),
        "b[1]": Mark(line=4, column=5),
        "b[1].c": Mark(line=4, column=6),
    }
    missing = Problem(path="b[1].e.f", code="x", message="m")
    assert located(missing, document).path == "f.yaml:4:5 b[1].e.f"
    assert located(Problem(path="", code="x", message="m"), document).path == "f.yaml"
    error = InvalidInput(
        "e", Problem(path="f.yaml b[0]", code="x", message="m"), Problem(path="q", code="x", message="m")
    )
    assert [problem.path for problem in locate_all(error, [document]).problems] == ["f.yaml:3:5 b[0]", "q"]


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF", "y", "True", "007", "0x1F", "0o17", "+1", "0_1"])
def test_a_word_that_others_read_differently_is_text_and_reported(word):
    document = load_document(f"a: {word}\nb: '{word}'", file="f.yaml")
    assert document.value == {"a": word, "b": word}
    assert [warning.path for warning in document.warnings] == ["f.yaml:1:4 a"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate_key", "f.yaml:3:1 a"),
        ("a: !!python/object/apply:os.system [x]", "tag", "f.yaml:1:4"),
        ("a: !!int '3'", "tag", "f.yaml:1:4"),
        ("<<: {a: 1}", "merge_key", "f.yaml:1:1"),
        ("? [a]\n: 1", "bad_key", "f.yaml:1:3"),
        ("? {a: 1}\n: 1", "bad_key", "f.yaml:1:3"),
        ("a: &x 1\n*x : 2", "bad_key", "f.yaml:2:1"),
        ("a: *y", "alias", "f.yaml:1:4"),
        ("a: &a [*a]", "alias", "f.yaml:1:8"),
        ("--- 1\n--- 2", "several_documents", "f.yaml:2:1"),
        ("[" * 100_000, "too_deep", "f.yaml:1:33"),
        ("a: [1", "not_yaml", "f.yaml:2:1"),
        ("a: b: c", "not_yaml", "f.yaml:1:5"),
        ("a: \0", "not_yaml", "f.yaml"),
        ("#" * 1_048_577, "too_large", "f.yaml"),
    ],
)
def test_what_is_not_plain_is_refused_where_it_stands(text, code, place):
    assert [(problem.code, problem.path) for problem in problems(text)] == [(code, place)]


def test_aliases_do_not_multiply_the_data():
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert problems("\n".join(lines))[0].code == "too_large"
    assert load_document("a: &a [1, 2]\nb: *a", file="f").value == {"a": [1, 2], "b": [1, 2]}
    assert load_document("a: &a x\nb: *a", file="f").value == {"a": "x", "b": "x"}


def test_numbers_are_those_of_json():
    document = load_document("[1, -2, 0, 1.5, -1e3, 1.0E-2, 1., .5, 1__0, nan]", file="f")
    assert document.value == [1, -2, 0, 1.5, -1000.0, 0.01, "1.", ".5", "1__0", "nan"]


def test_an_empty_file_is_null():
    assert load_document("# nothing\n", file="f").value is None
