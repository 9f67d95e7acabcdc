# ruff: noqa: E501 - the tables read best one row a line
"""No text that a user wrote ever reaches a Python name, and no object's own code ever runs."""

import builtins
import dis
import types
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw import rules
from bylaw.core.errors import RuleSyntax

MARK = "zq_user_text_zq"
DUNDERS = ["__class__", "__globals__", "__builtins__", "__import__", "__dict__", "__init__", "__subclasses__"]
INJECTIONS = [
    "__import__('os').system('true') == 0",
    "().__class__.__bases__[0].__subclasses__() != null",
    "''.__class__ != null",
    "[].__class__.__mro__ != null",
    "ctx.__globals__ != null",
    "context.__class__ == context",
    "eval('1') == 1",
    "exec('1') == 1",
    "open('/etc/passwd') != null",
    "getattr(x, 'y') == 1",
    "lambda: 1",
    "x if y else z",
    "x; import os",
    "x\nimport os",
    "(x := 5) == 5",
    "f'{x}' == ''",
    "x.format(y) == ''.__class__",
    "'{0.__class__}'.format([x]) == '{0.__class__}'",
    "[i for i in x] == []",
    "x.`__class__` == 1",
    "x['__class__'] == 1",
    "x.`a b`.`c/d`.`e-f` == 1",
    "breakpoint() == 1",
    "not x",
    "None == x",
    "True",
    "self.x == 1",
    "type(x).__name__ == 'int'",
    "cel.bind(__class__, 1, __class__ == 1)",
    "x.all(__import__, __import__ == 1)",
    "x.all(None, None == 1)",
    "x.map(def, def) == []",
]


@pytest.mark.parametrize("rule", INJECTIONS)
def test_an_injection_is_refused_or_means_only_fields(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[str] = []
    for name in ("exec", "eval", "open", "getattr", "__import__", "breakpoint"):
        monkeypatch.setattr(builtins, name, _recording(name, getattr(builtins, name), reached, MARK))
    try:
        compiled = rules.compile(rule)
    except RuleSyntax:
        return
    verdict = compiled.evaluate({"x": {MARK: MARK}, "y": MARK, "context": {}, "ctx": {}})
    assert verdict.status != "satisfied" or rule.startswith(("cel.bind", "'{0")), (
        "means something beyond fields"
    )
    assert reached == []


def _recording(name: str, real: object, reached: list[str], mark: str) -> object:
    def record(*args: object, **kwargs: object) -> object:
        if any(mark in repr(arg) for arg in args if isinstance(arg, str)):
            reached.append(name)
        return real(*args, **kwargs)  # type: ignore[operator]

    return record


@pytest.mark.parametrize(
    "name", [*DUNDERS, "def", "class", "None", "True", "yield", "lambda", "self", "budget", "context"]
)
def test_a_field_may_have_any_name_that_python_uses(name: str) -> None:
    assert rules.compile(f"x.{name} == 1").evaluate({"x": {name: 1}}).status == "satisfied"
    missing = rules.compile(f"x.{name} == 1").evaluate({"x": {}})
    assert (missing.code, missing.path) == ("missing", f"x.{name}")
    if name not in ("class", "def"):
        assert (
            rules.compile(f"{name} == 1 && [1].all({name}, {name} == 1)").evaluate({name: 1}).status
            == "satisfied"
        )


@pytest.mark.parametrize(
    "key",
    [
        "{0}",
        "%s",
        "a\nb",
        "a\rb",
        "'",
        '"',
        "\\",
        "'''",
        '"""',
        "\x00",
        "\ud800",
        "#",
        "{x!r}",
        "\u2028",
        "]",
        "\t",
        "é",
        "🐍",
    ],
)
def test_a_key_may_be_any_text(key: str) -> None:
    quoted = "".join(f"\\U{ord(letter):08x}" for letter in key)
    if key == "\ud800":
        with pytest.raises(RuleSyntax):
            rules.compile(f"x['{quoted}'] == 1")
        quoted = "\\ufffd"
    rule = rules.compile(f"x['{quoted}'] == 1 || has(x['{quoted}'].y)")
    assert rule.evaluate({"x": {key: 1}}).status in ("satisfied", "violated", "indeterminate")
    if key != "\ud800":
        assert rule.evaluate({"x": {key: 1}}).status == "satisfied"
        assert rule.evaluate({"x": {}}).code == "missing"
    assert rule.explain({"x": {}}) is not None


# --- what the compiler makes


def code_objects(root: object) -> Iterator[types.CodeType]:
    """Yield every code object that the compiled rule reaches, through its attributes, closures and constants."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, types.ModuleType | type):
            continue
        seen.add(id(each))
        if isinstance(each, types.CodeType):
            yield each
            todo.extend(each.co_consts)
        elif isinstance(each, types.FunctionType):
            todo.append(each.__code__)
            todo.extend(cell.cell_contents for cell in each.__closure__ or ())
            todo.extend(each.__defaults__ or ())
        elif isinstance(each, types.MethodType):
            todo += [each.__func__, each.__self__]
        elif isinstance(each, dict):
            todo.extend(each.values())
        elif isinstance(each, list | tuple | set | frozenset):
            todo.extend(each)
        elif type(each).__module__.startswith("bylaw.rules"):
            todo.extend(getattr(each, name) for name in _slots(each) if hasattr(each, name))


def _slots(each: object) -> list[str]:
    names = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*names, *getattr(each, "__dict__", {})]


def names_in(code: types.CodeType) -> set[str]:
    """Return every name that the code can use."""
    return {
        *code.co_names,
        *code.co_varnames,
        *code.co_freevars,
        *code.co_cellvars,
        code.co_name,
        code.co_filename,
    }


RULES_WITH_USER_TEXT = [
    f"{MARK} == 1",
    f"a.{MARK} == '{MARK}'",
    f"a['{MARK}'].{MARK} < {MARK}",
    f"a.`{MARK}-{MARK}` == 1",
    f"has(a.{MARK}) && a.b.{MARK} in ['{MARK}', {MARK}]",
    f"a.all({MARK}, {MARK}.{MARK} == 1)",
    f"a.exists(i, i.all({MARK}, {MARK} == i))",
    f"cel.bind({MARK}, a, {MARK}.b == {MARK})",
    f"a.matches('{MARK}') || a.startsWith('{MARK}')",
    f"{{'{MARK}': a}}.{MARK} == 1",
    f"a.transformMap({MARK}, v, {MARK} + v) == {{}}",
    f"a.?{MARK}.?b.orValue('{MARK}') == 1",
    f"a.{MARK} == null || {MARK} != null",
    f"timestamp(a.{MARK}) > timestamp({MARK}) ? {MARK} : a.{MARK}",
]


@pytest.mark.parametrize("source", RULES_WITH_USER_TEXT)
def test_compiled_code_has_no_name_from_the_rule(source: str) -> None:
    rule = rules.compile(source)
    rule.evaluate({"a": {MARK: 1, "b": {MARK: 2}}, MARK: 3})
    codes = list(code_objects(rule))
    assert codes, "the compiled rule must hold code to look at"
    for code in codes:
        assert not [name for name in names_in(code) if "zq_" in name], dis.code_info(code)


def test_compiled_code_imports_nothing_and_reaches_no_builtin_that_runs_text() -> None:
    forbidden = {"eval", "exec", "compile", "__import__", "open", "getattr", "setattr", "globals", "input"}
    for source in RULES_WITH_USER_TEXT:
        for code in code_objects(rules.compile(source)):
            if code.co_filename.endswith(".py"):
                continue
            assert not names_in(code) & forbidden
            assert not [step for step in dis.get_instructions(code) if step.opname.startswith("IMPORT")]


# --- objects that would run code of their own


class Touched(Exception):
    """A value's own code ran."""


def _touch(*_: object, **__: object) -> object:
    raise Touched


EVIL_METHODS = [
    "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__getitem__", "__contains__", "__iter__", "__len__",
    "__bool__", "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__neg__", "__str__", "__format__",
    "__hash__", "__index__", "__int__", "__float__", "__getattr__", "__missing__", "__call__", "__truediv__", "__mod__",
    "__rtruediv__", "__rmod__", "__floordiv__", "__rfloordiv__", "keys", "get", "items", "values", "startswith", "count",
]  # fmt: skip


def evil(base: type, *arguments: object) -> object:
    """Return an instance of a subclass of `base` whose every method tells that it ran."""
    kind = type(
        f"Evil{base.__name__}", (base,), {name: _touch for name in EVIL_METHODS if name != "__hash__"}
    )
    return kind(*arguments)


EVIL = {
    "dict": lambda: evil(dict, {"y": 1}),
    "list": lambda: evil(list, [1, "a"]),
    "str": lambda: evil(str, "a"),
    "int": lambda: evil(int, 1),
    "float": lambda: evil(float, 1.0),
    "object": lambda: evil(object),
    "tuple": lambda: evil(tuple, (1,)),
    "set": lambda: evil(set, ["a"]),
    "bytes": lambda: evil(bytes, b"a"),
}
USES = [
    "x", "x.y == 1", "x['y'] == 1", "x[0] == 1", "x == 1", "1 == x", "x == 'a'", "'a' == x", "x != 'a'", "x < 1", "1 < x",
    "x < 'b'", "x + 1 == 2", "1 + x == 2", "x * 2 == 2", "2 - x == 1", "x / 2 == 1", "x % 2 == 1", "-x == 1", "!x",
    "x && true", "true && x", "x || false", "x ? true : false", "'a' in x", "1 in x", "x in ['a']", "x in [1, 2]",
    "x in {'a': 1}", "{'a': 1}[x] == 1", "[1][x] == 1", "x.contains('a')", "['a'].contains(x)", "'a'.contains(x)",
    "x.startsWith('a')", "'a'.startsWith(x)", "x.matches('a')", "size(x) == 1", "x.size() == 1", "string(x) == 'a'",
    "int(x) == 1", "double(x) == 1.0", "bool(x)", "timestamp(x) == timestamp(0)", "duration(x) == duration('0')",
    "x.all(i, true)", "x.exists(i, i == 1)", "x.map(i, i) == [1]", "x.filter(i, true) == [1]", "[x].all(i, i == 1)",
    "[x] == [1]", "{'a': x} == {'a': 1}", "l == [1]", "m == {'a': 1}", "'a' in l", "1 in l", "l.contains('a')",
    "l.exists(i, i == 'a')", "m.a == 'a'", "m.a in ['a', 'b']", "l.sort() == l", "l.join() == 'a'", "l.distinct() == l",
    "sets.contains(l, ['a'])", "math.greatest(x, 1) == 1", "optional.of(x).orValue(1) == 1", "'%s'.format([x]) == 'a'",
    "x == null", "x.y == null", "has(x.y)", "x.?y.hasValue()", "optional.ofNonZeroValue(x).hasValue()", "x + 'a' == 'aa'",
    "x.getFullYear() == 1", "base64.encode(x) == ''", "x.transformMap(k, v, v) == {}", "x.substring(0) == 'a'",
]  # fmt: skip


@pytest.mark.parametrize("kind", EVIL)
@pytest.mark.parametrize("use", USES)
def test_no_method_of_a_foreign_object_runs(use: str, kind: str) -> None:
    value = EVIL[kind]()
    try:
        rule = rules.compile(use)
    except RuleSyntax:
        pytest.skip("refused when saved")
    context = {"x": value, "l": [value], "m": {"a": value}}
    verdict = rule.evaluate(context)
    assert verdict.status != "satisfied"
    rule.explain(context)


# --- random text


@given(st.text(max_size=60))
def test_any_text_compiles_or_is_refused(source: str) -> None:
    _either(source)


@given(st.text(alphabet=st.sampled_from(list("abx.()[]{}'\"`\\!&|=<>?:,+-*/%0123 _\n")), max_size=80))
def test_any_text_of_the_language_compiles_or_is_refused(source: str) -> None:
    _either(source)


_NAMES = st.sampled_from(
    [*DUNDERS, "a", "b", "items", "size", "map", "all", "has", "cel", "bind", "math", "type", "_", "__"]
)


@given(
    st.lists(
        st.one_of(_NAMES, st.sampled_from(list(".()[],?:!'\"`{} =<&|+-")), st.just("=="), st.just("&&")),
        max_size=40,
    )
)
def test_any_words_of_the_language_compile_or_are_refused(words: list[str]) -> None:
    _either("".join(words))


def _either(source: str) -> None:
    try:
        rule = rules.compile(source)
    except RuleSyntax as error:
        refusal = error
    else:
        refusal = None
    if refusal is not None:
        lines = source.split("\n")
        assert 1 <= refusal.line <= len(lines)
        assert 1 <= refusal.column <= len(lines[refusal.line - 1]) + 1
        return
    verdict = rule.evaluate({"a": {"b": [1, 2]}, "items": [{"a": 1}], "x": "text", "b": True})
    assert verdict.status in ("satisfied", "violated", "indeterminate")
    assert (verdict.code == "") == (verdict.status != "indeterminate")
