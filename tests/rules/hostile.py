# ruff: noqa: E501, RUF001 - the tables read best one row a line
"""Input made to hang, crash or flood an engine: rules, contexts that go with them, and how each may end.

Used by the tests (every one ends as it should, in bounded memory) and by the bench (how long another thread waits).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

Context = dict[str, object]

REFUSED = "refused"
BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One hostile input; `ends` holds the endings that are right: `refused`, a status or a code.

    `spends` is how many steps it takes at least, all of them before the large value is touched.
    """

    name: str
    rule: str
    context: Callable[[], Context] = dict
    ends: tuple[str, ...]
    spends: int = 0


def nested(depth: int) -> Context:
    """Return a map inside a map, `depth` levels down."""
    inner: Context = {"leaf": 1}
    for _ in range(depth):
        inner = {"a": inner}
    return inner


def nested_list(depth: int) -> list[object]:
    """Return a list inside a list, `depth` levels down."""
    inner: list[object] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def shared(levels: int) -> list[object]:
    """Return a list that holds one list twice, which holds one list twice, …: 2 ** levels elements when walked."""
    inner: list[object] = ["x"]
    for _ in range(levels):
        inner = [inner, inner]
    return inner


def _numbers(count: int) -> Callable[[], Context]:
    return lambda: {"l": list(range(count)), "s": "x" * 100_000, "w": [f"word {n}" for n in range(count)]}


def _megabyte() -> Context:
    return {"s": "x" * 1_000_000, "l": list(range(9_000)), "w": ["x" * 1_000] * 600}


GARBAGE = "!!((!(!((!!!(!!((!!(" * 200 + "1"

HOSTILE = [
    # text that only a parser sees
    Hostile(name="1,000 parentheses", rule="(" * 1_000 + "true" + ")" * 1_000, ends=(REFUSED,)),
    Hostile(name="10,000 parentheses", rule="(" * 10_000 + "true" + ")" * 10_000, ends=(REFUSED,)),
    Hostile(name="10,000 open brackets", rule="[" * 10_000, ends=(REFUSED,)),
    Hostile(name="10,000 open braces", rule="{" * 10_000, ends=(REFUSED,)),
    Hostile(name="2,000 nested calls", rule="size(" * 2_000 + "x" + ")" * 2_000 + " > 0", ends=(REFUSED,)),
    Hostile(name="3,000 exclamation marks", rule="!" * 3_000 + "true", ends=(REFUSED,)),
    Hostile(name="3,000 minus signs", rule="-" * 3_000 + "x > 0", ends=(REFUSED,)),
    Hostile(name="1,000 field steps", rule="a" + ".a" * 1_000 + " == 1", ends=(REFUSED,)),
    Hostile(name="1,000 index steps", rule="a" + "[0]" * 1_000 + " == 1", ends=(REFUSED,)),
    Hostile(name="600 conditionals", rule="x ? y : " * 600 + "true", ends=(REFUSED,)),
    Hostile(name="2,000-term && chain", rule=" && ".join(["true"] * 2_000), ends=(REFUSED,)),
    Hostile(name="100,000-term + chain", rule=" + ".join(["1"] * 100_000) + " > 0", ends=(REFUSED,)),
    Hostile(name="1 MB of letters", rule="a" * 1_000_000, ends=(REFUSED,)),
    Hostile(name="1 MB string literal", rule="'" + "a" * 1_000_000 + "' == s", ends=(REFUSED,)),
    Hostile(name="1 MB of spaces", rule=" " * 1_000_000 + "true", ends=(REFUSED,)),
    Hostile(name="bracket garbage", rule=GARBAGE, ends=(REFUSED,)),
    Hostile(name="unclosed string", rule="'" + "\\" * 4_000, ends=(REFUSED,)),
    Hostile(name="unclosed quoted field", rule="a.`" + "b" * 4_000, ends=(REFUSED,)),
    Hostile(name="a number of 4,000 digits", rule="9" * 4_000 + " > x", ends=(REFUSED,)),
    Hostile(name="a double of 4,000 digits", rule="0." + "9" * 4_000 + " > 2.0", ends=(REFUSED, "violated")),
    Hostile(name="a power tower", rule="9**9**9 > 5", ends=(REFUSED,)),
    Hostile(name="a range literal", rule="size([1..100000000]) > 5", ends=(REFUSED,)),
    Hostile(name="five loops inside each other", rule="l.all(a, " * 5 + "true" + ")" * 5, ends=(REFUSED,)),
    Hostile(name="a control character", rule="x == 1\x00", ends=(REFUSED,)),
    Hostile(name="half a surrogate pair in the rule", rule="x == '\ud800'", ends=(REFUSED, "missing")),
    # work that grows with the context
    Hostile(
        name="27 million iterations",
        rule="l.all(a, l.all(b, l.all(c, a + b + c >= 0)))",
        context=_numbers(300),
        ends=(BUDGET,),
    ),
    Hostile(
        name="nested exists over 9,000",
        rule="l.exists(a, l.exists(b, a + b < 0))",
        context=_numbers(9_000),
        ends=(BUDGET,),
    ),
    Hostile(
        name="four loops of map",
        rule="size(l.map(a, l.map(b, l.map(c, l.map(d, a + b + c + d))))) > 0",
        context=_numbers(200),
        ends=(BUDGET,),
    ),
    Hostile(name="9,000 copies of 2 MB", rule="size(l.map(i, s + s)) > 0", context=_megabyte, ends=(BUDGET,)),
    Hostile(
        name="string doubling",
        rule="cel.bind(a, s + s, cel.bind(b, a + a, cel.bind(c, b + b, cel.bind(d, c + c, cel.bind(e, d + d, "
        "cel.bind(f, e + e, cel.bind(g, f + f, cel.bind(h, g + g, size(h) > 0))))))))",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(
        name="list doubling",
        rule="".join(f"cel.bind(v{n}, {f'v{n - 1} + v{n - 1}' if n else 'l'}, " for n in range(30))
        + "size(v29) > 5"
        + ")" * 30,
        context=_numbers(9_000),
        ends=(BUDGET,),
    ),
    Hostile(
        name="a bind used twice, thirty times over",
        rule="".join(f"cel.bind(v{n}, {f'v{n - 1} + v{n - 1}' if n else 'x'}, " for n in range(30))
        + "v29 > 0"
        + ")" * 30,
        context=lambda: {"x": 1},
        ends=(BUDGET, "satisfied"),
    ),
    Hostile(
        name="9,000 × 9,000 list membership",
        rule="l.all(i, !((i + 100000) in l))",
        context=_numbers(9_000),
        ends=(BUDGET,),
    ),
    Hostile(
        name="9,000 × 9,000 text membership",
        rule="w.all(i, !((i + '!') in w))",
        context=_numbers(9_000),
        ends=(BUDGET,),
    ),
    Hostile(
        name="9,000 × 9,000 contains",
        rule="w.all(i, !w.contains(i + '!'))",
        context=_numbers(9_000),
        ends=(BUDGET,),
    ),
    Hostile(name="distinct of 9,000", rule="size(l.distinct()) > 0", context=_numbers(9_000), ends=(BUDGET,)),
    Hostile(
        name="sets.contains 9,000 × 9,000",
        rule="sets.contains(l, l.map(i, i + 9000))",
        context=_numbers(9_000),
        ends=(BUDGET, "violated"),
    ),
    Hostile(
        name="sets.equivalent 9,000 × 9,000",
        rule="sets.equivalent(l, l.reverse())",
        context=_numbers(9_000),
        ends=(BUDGET,),
    ),
    Hostile(
        name="lists equal, 9,000 times",
        rule="l.all(i, l == l.map(j, j))",
        context=_numbers(9_000),
        ends=(BUDGET,),
    ),
    Hostile(
        name="lists.range beyond measure", rule="size(lists.range(9223372036854775807)) > 0", ends=(BUDGET,)
    ),
    Hostile(name="lists.range of 10⁹", rule="size(lists.range(1000000000)) > 0", ends=(BUDGET,)),
    Hostile(
        name="sort inside a loop",
        rule="l.all(i, l.reverse().sort()[0] == 0)",
        context=_numbers(2_000),
        ends=(BUDGET,),
    ),
    Hostile(
        name="sortBy inside sortBy",
        rule="size(l.sortBy(i, size(l.sortBy(j, -j)))) > 0",
        context=_numbers(500),
        ends=(BUDGET,),
    ),
    Hostile(
        name="flatten a hundred levels",
        rule="size(l.flatten(100)) >= 0",
        context=lambda: {"l": nested_list(20_000)},
        ends=(BUDGET, "satisfied"),
    ),
    Hostile(
        name="flatten what is shared",
        rule="size(l.flatten(40)) > 0",
        context=lambda: {"l": shared(40)},
        ends=(BUDGET,),
    ),
    Hostile(
        name="equality of what is shared",
        rule="a == b",
        context=lambda: {"a": shared(60), "b": shared(60)},
        ends=(BUDGET,),
    ),
    Hostile(
        name="membership in what is shared",
        rule="a in [b]",
        context=lambda: {"a": shared(60), "b": shared(60)},
        ends=(BUDGET,),
    ),
    Hostile(
        name="format of what is shared",
        rule="size('%s'.format([a])) > 0",
        context=lambda: {"a": shared(60)},
        ends=(BUDGET,),
    ),
    Hostile(
        name="replace that multiplies", rule="size(s.replace('x', s)) > 0", context=_megabyte, ends=(BUDGET,)
    ),
    Hostile(
        name="replace between all letters",
        rule="size(s.replace('', s)) > 0",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(name="join that multiplies", rule="size(w.join(s)) > 0", context=_megabyte, ends=(BUDGET,)),
    Hostile(
        name="split into letters, in a loop",
        rule="l.all(i, size(s.split('')) > 0)",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(
        name="substring search in a loop",
        rule="l.all(i, !s.contains('xxxxxxxxy'))",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(
        name="indexOf in a loop",
        rule="l.all(i, s.indexOf('xxxxxxxxy') < 0)",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(
        name="compare a megabyte in a loop", rule="l.all(i, s <= s + 'a')", context=_megabyte, ends=(BUDGET,)
    ),
    Hostile(
        name="case change in a loop", rule="l.all(i, s.upperAscii() != s)", context=_megabyte, ends=(BUDGET,)
    ),
    Hostile(
        name="base64 in a loop",
        rule="l.all(i, size(base64.encode(bytes(s))) > 0)",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(
        name="format in a loop",
        rule="l.all(i, size('%s%s%s'.format([s, s, s])) > 0)",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(
        name="%d of a thousand digits",
        rule="'%.99f'.format([n]) == ''",
        context=lambda: {"n": 1e308},
        ends=("violated",),
    ),
    Hostile(
        name="(a+)+$ on 28 letters",
        rule="s.matches('(a+)+$')",
        context=lambda: {"s": "a" * 28 + "!"},
        ends=("violated",),
    ),
    Hostile(
        name="(a|aa)+$ on 100 kB",
        rule="s.matches('(a|aa)+$')",
        context=lambda: {"s": "a" * 100_000 + "!"},
        ends=("violated", BUDGET),
    ),
    Hostile(
        name="a short pattern with a large program",
        rule="s.matches('((a|b){1,60}){1,12}c')",
        context=lambda: {"s": "abaab" * 150_000},
        ends=(BUDGET,),
    ),
    Hostile(
        name="a short pattern with a large program, in a loop",
        rule="w.all(t, !t.matches('((a|b){1,60}){1,12}c'))",
        context=lambda: {"w": ["abaab" * 50] * 4_000},
        ends=(BUDGET,),
    ),
    Hostile(
        name="matches in a loop",
        rule="l.all(i, s.matches('(x+x+)+y') == false)",
        context=_megabyte,
        ends=(BUDGET,),
    ),
    Hostile(
        name="a search that reads to the end for every match",
        rule="size(regex.extractAll(s, 'x|x.*y')) == 0",
        context=lambda: {"s": "x" * 100_000},
        ends=(BUDGET,),
    ),
    Hostile(
        name="a replacement that grows",
        rule=r"size(regex.replace(s, '', '0123456789')) == 0",
        context=lambda: {"s": "x" * 100_000},
        ends=(BUDGET,),
    ),
    Hostile(
        name="a pattern that explodes",
        rule="s.matches('((a{1,100}){1,100}){1,100}')",
        context=lambda: {"s": "a"},
        ends=(REFUSED, "invalid_argument"),
    ),
    Hostile(
        name="a pattern of 4,000 letters",
        rule="s.matches('" + "(a|b)*" * 600 + "')",
        context=lambda: {"s": "a"},
        ends=(REFUSED,),
    ),
    Hostile(
        name="a pattern from the context",
        rule="s.matches(p)",
        context=lambda: {"s": "a", "p": "(" * 5_000},
        ends=(REFUSED, "invalid_argument"),
    ),
    Hostile(
        name="thousands of patterns",
        rule="w.all(p, !s.matches(p))",
        context=lambda: {"s": "a" * 100, "w": [f"(b{n}|c)+{n}$" for n in range(9_000)]},
        ends=(REFUSED, BUDGET),
    ),
    # contexts that a recursive walk does not survive
    Hostile(
        name="a context 30,000 deep, read at the top",
        rule="x.a.a.a.leaf == 1",
        context=lambda: {"x": nested(30_000)},
        ends=("missing",),
    ),
    Hostile(
        name="a context 30,000 deep, compared",
        rule="x == y",
        context=lambda: {"x": nested(30_000), "y": nested(30_000)},
        ends=(BUDGET, "satisfied"),
    ),
    Hostile(
        name="a list 30,000 deep, compared",
        rule="x == y",
        context=lambda: {"x": nested_list(30_000), "y": nested_list(30_000)},
        ends=(BUDGET, "satisfied"),
    ),
    Hostile(
        name="a list 30,000 deep, searched",
        rule="x in [y, 1]",
        context=lambda: {"x": nested_list(30_000), "y": nested_list(30_000)},
        ends=(BUDGET, "satisfied"),
    ),
    Hostile(
        name="a list 30,000 deep, formatted",
        rule="size('%s'.format([x])) > 0",
        context=lambda: {"x": nested_list(30_000)},
        ends=(BUDGET, "satisfied"),
    ),
    Hostile(
        name="a context 30,000 deep, as a whole rule",
        rule="x",
        context=lambda: {"x": nested(30_000)},
        ends=("not_boolean",),
    ),
    # numbers beyond the language
    Hostile(
        name="a number of 100,000 bits, compared",
        rule="n > 5",
        context=lambda: {"n": 2**100_000},
        ends=("satisfied",),
    ),
    Hostile(
        name="a number of 100,000 bits, equal to itself",
        rule="n == n",
        context=lambda: {"n": 2**100_000},
        ends=("satisfied",),
    ),
    Hostile(
        name="a number of 100,000 bits beside a double",
        rule="n > 0.5",
        context=lambda: {"n": 2**100_000},
        ends=("satisfied", "range"),
    ),
    Hostile(
        name="a number of 100,000 bits, multiplied",
        rule="n * n > 0",
        context=lambda: {"n": 2**100_000},
        ends=("range",),
    ),
    Hostile(
        name="a number of 100,000 bits, divided",
        rule="n / 3 > 0",
        context=lambda: {"n": 2**100_000},
        ends=("range",),
    ),
    Hostile(
        name="a number of 100,000 bits as text",
        rule="size(string(n)) > 0",
        context=lambda: {"n": 2**100_000},
        ends=("range",),
    ),
    Hostile(
        name="a number of 100,000 bits as double",
        rule="double(n) > 0.0",
        context=lambda: {"n": 2**100_000},
        ends=("range",),
    ),
    Hostile(
        name="a number of 100,000 bits plus a double",
        rule="n + 0.5 > 0.0",
        context=lambda: {"n": 2**100_000},
        ends=("range",),
    ),
    Hostile(
        name="a number of 100,000 bits as index",
        rule="[1][n] == 1",
        context=lambda: {"n": 2**100_000},
        ends=("range",),
    ),
    Hostile(
        name="a number of 100,000 bits formatted",
        rule="'%x'.format([n]) == ''",
        context=lambda: {"n": 2**100_000},
        ends=("range", "type_error"),
    ),
    Hostile(
        name="a number of 100,000 bits as moment",
        rule="timestamp(n) > timestamp(0)",
        context=lambda: {"n": 2**100_000},
        ends=("range",),
    ),
    Hostile(
        name="a shift by a number of 100,000 bits",
        rule="math.bitShiftLeft(1, n) == 0",
        context=lambda: {"n": 2**100_000},
        ends=("satisfied", "range"),
    ),
    Hostile(
        name="NaN is no number's equal",
        rule="n == n || n < 1.0 || n >= 1.0",
        context=lambda: {"n": float("nan")},
        ends=("violated",),
    ),
    Hostile(
        name="NaN as int",
        rule="int(n) == 0",
        context=lambda: {"n": float("nan")},
        ends=("range", "invalid_argument"),
    ),
    Hostile(
        name="NaN as index",
        rule="[1][n] == 1",
        context=lambda: {"n": float("nan")},
        ends=("range", "invalid_argument"),
    ),
    Hostile(
        name="NaN among what is sorted",
        rule="size(l.sort()) == 3",
        context=lambda: {"l": [1.0, float("nan"), 0.5]},
        ends=("satisfied", "invalid_argument"),
    ),
    Hostile(
        name="Infinity is above all integers",
        rule="n > 9223372036854775807",
        context=lambda: {"n": float("inf")},
        ends=("satisfied",),
    ),
    Hostile(name="Infinity as int", rule="int(n) == 0", context=lambda: {"n": float("inf")}, ends=("range",)),
    # text that cuts strings elsewhere
    Hostile(
        name="NUL does not end a string",
        rule="x == 'approved'",
        context=lambda: {"x": "approved\x00evil"},
        ends=("violated",),
    ),
    Hostile(
        name="NUL in matches",
        rule="x.matches('^approved$')",
        context=lambda: {"x": "approved\x00evil"},
        ends=("violated",),
    ),
    Hostile(
        name="NUL in a field name", rule="has(x.a)", context=lambda: {"x": {"a\x00b": 1}}, ends=("violated",)
    ),
    Hostile(
        name="half a surrogate pair, compared",
        rule="x == 'approved'",
        context=lambda: {"x": "\ud800"},
        ends=("violated",),
    ),
    Hostile(
        name="half a surrogate pair, matched",
        rule="x.matches('a')",
        context=lambda: {"x": "\ud800"},
        ends=("violated", "invalid_argument"),
    ),
    Hostile(
        name="half a surrogate pair as bytes",
        rule="size(bytes(x)) > 0",
        context=lambda: {"x": "\ud800"},
        ends=("invalid_argument",),
    ),
    Hostile(
        name="half a surrogate pair formatted",
        rule="'%x%s'.format([x, x]) != ''",
        context=lambda: {"x": "\ud800"},
        ends=("satisfied", "invalid_argument"),
    ),
    Hostile(
        name="half a surrogate pair as zone",
        rule="timestamp(0).getHours(x) == 0",
        context=lambda: {"x": "\ud800"},
        ends=("invalid_argument",),
    ),
    Hostile(
        name="a zone that is a path",
        rule="timestamp(0).getHours(x) == 0",
        context=lambda: {"x": "../../../../etc/passwd"},
        ends=("invalid_argument",),
    ),
    Hostile(
        name="a zone that is a folder",
        rule="timestamp(0).getHours(x) == 0",
        context=lambda: {"x": "Europe"},
        ends=("invalid_argument",),
    ),
    Hostile(
        name="a zone of a megabyte",
        rule="timestamp(0).getHours(x) == 0",
        context=lambda: {"x": "A" * 1_000_000},
        ends=("invalid_argument",),
    ),
    Hostile(
        name="a moment of a megabyte",
        rule="timestamp(x) > timestamp(0)",
        context=lambda: {"x": "2" * 1_000_000},
        ends=("invalid_argument",),
    ),
    Hostile(
        name="a duration of a megabyte",
        rule="duration(x) > duration('0')",
        context=lambda: {"x": "1h" * 500_000},
        ends=("invalid_argument", "range", BUDGET),
    ),
    Hostile(
        name="an integer of a megabyte",
        rule="int(x) > 0",
        context=lambda: {"x": "1" * 1_000_000},
        ends=("invalid_argument", "range"),
    ),
    Hostile(
        name="a double of a megabyte",
        rule="double(x) > 0.0",
        context=lambda: {"x": "1" * 1_000_000},
        ends=("invalid_argument", "range", "satisfied"),
    ),
    Hostile(
        name="digits of another script",
        rule="int(x) == 5",
        context=lambda: {"x": "٥"},
        ends=("invalid_argument",),
    ),
]


_COUNT = 250_000
_LARGE_VALUES: dict[str, Callable[[], object]] = {
    "numbers": lambda: list(range(_COUNT)),
    "ones": lambda: [1] * 2 * _COUNT,
    "words": lambda: [f"word {n}" for n in range(_COUNT)],
    "mixed": lambda: [1, *["a"] * _COUNT],
    "nulls": lambda: [None] * _COUNT,
    "lists": lambda: [[1]] * _COUNT,
    "map": lambda: {f"k{n}": n for n in range(_COUNT)},
    "same": lambda: {f"k{n}": n for n in range(_COUNT)},
    "empty": list,
    "text": lambda: "x" * 10_000_000,
    "accents": lambda: "é" * 1_000_000,
    "spaces": lambda: " " * 10_000_000,
    "wide": lambda: "\u3000" * 1_000_000,
    "slashes": lambda: "\\" * 1_000_000,
    "percents": lambda: "%%" * 500_000,
    "keys": lambda: {"y" * 10_000_000: 1},
}


def large(rule: str) -> Context:
    """Return the values that `rule` names: 250,000 elements, 1 MB or 10 MB each."""
    return {name: make() for name, make in _LARGE_VALUES.items() if name in rule}


# Rule, ending, and the steps that it takes at least: 250,000 elements and texts of 1 or 10 MB have a price.
LARGE: list[tuple[str, str, int]] = [
    ("ones.sort().size() > 0", BUDGET, 500_000),
    ("words.sort().size() > 0", BUDGET, 250_000),
    ("numbers.sortBy(i, -i).size() > 0", BUDGET, 100_000),
    ("nulls.sort().size() > 0", BUDGET, 250_000),
    ("size('%s'.format([ones])) > 0", BUDGET, 500_000),
    ("size('%s'.format([map])) > 0", BUDGET, 250_000),
    ("size('%s'.format([text])) > 0", "satisfied", 78_000),
    ("size('%x'.format([text])) > 0", BUDGET, 100_000),
    ("size(percents.format([])) > 0", BUDGET, 100_000),
    ("size(spaces.trim()) == 0", BUDGET, 100_000),
    ("size(wide.trim()) == 0", BUDGET, 100_000),
    ("size(text.trim()) > 0", "satisfied", 78_000),
    ("size(accents.upperAscii()) > 0", "satisfied", 15_000),
    ("size(accents.lowerAscii()) > 0", "satisfied", 15_000),
    ("size(accents.reverse()) > 0", "satisfied", 7_800),
    ("size(strings.quote(slashes)) > 0", "satisfied", 62_000),
    ("size(strings.quote(text)) > 0", BUDGET, 100_000),
    ("size(text.replace('x', '')) >= 0", BUDGET, 156_000),
    ("size(text.split('x')) > 0", BUDGET, 156_000),
    ("size(accents.replace('é', 'ee')) > 0", BUDGET, 100_000),
    ("size(accents.split('é')) > 0", BUDGET, 1_000_000),
    ("size(accents.split('')) > 0", BUDGET, 1_000_000),
    ("size(text.substring(1)) > 0", "satisfied", 78_000),
    ("size(words.join(',')) > 0", BUDGET, 250_000),
    ("nulls.join() == ''", BUDGET, 250_000),
    ("text.contains('xxxxxxxy')", BUDGET, 156_000),
    ("text.indexOf('xxxxxxxy') > 0", BUDGET, 156_000),
    ("text.lastIndexOf('yxxxxxxx') > 0", BUDGET, 156_000),
    ("accents.contains('ééééé.')", "violated", 15_000),
    ("text == spaces", "violated", 9_700),
    ("text < spaces", "violated", 78_000),
    ("size(text + text) > 0", BUDGET, 156_000),
    ("text.matches('y$')", BUDGET, 100_000),
    ("size(bytes(text)) > 0", "satisfied", 78_000),
    ("size(base64.encode(bytes(accents))) > 0", "satisfied", 23_000),
    ("size(base64.decode(text)) > 0", BUDGET, 156_000),
    ("timestamp(0).getHours(text) > 0", "invalid_argument", 78_000),
    ("map == same", BUDGET, 500_000),
    ("numbers == ones", "violated", 0),
    ("numbers == numbers.reverse()", BUDGET, 500_000),
    ("[numbers] == [words]", BUDGET, 500_000),
    ("'a' in words", "violated", 31_000),
    ("words.contains('a')", "violated", 31_000),
    ("'b' in mixed", "violated", 31_000),
    ("-1 in numbers", BUDGET, 250_000),
    ("mixed.contains(true)", BUDGET, 250_000),
    ("nulls.contains(1)", BUDGET, 250_000),
    ("map.all(k, k != '')", BUDGET, 100_000),
    ("map.all(k, v, v >= 0)", BUDGET, 100_000),
    ("size(map.transformMap(k, v, v)) > 0", BUDGET, 100_000),
    ("size(numbers.transformList(i, v, v)) > 0", BUDGET, 100_000),
    ("size(words.transformMapEntry(i, v, {i: v})) > 0", BUDGET, 100_000),
    ("regex.extract(text, 'y$').hasValue()", BUDGET, 100_000),
    ("size(regex.replace(text, 'x', 'y')) > 0", BUDGET, 100_000),
    ("keys.all(k, v, v.z > 0)", "type_error", 0),
    ("size(numbers.distinct()) > 0", BUDGET, 250_000),
    ("size(lists.flatten()) > 0", BUDGET, 250_000),
    ("ones.sum() > 0", BUDGET, 500_000),
    ("math.greatest(numbers) > 0", BUDGET, 250_000),
    ("math.least(numbers) >= 0", BUDGET, 250_000),
    ("sets.contains(numbers, [5])", BUDGET, 250_000),
    ("sets.contains(empty, numbers)", BUDGET, 250_000),
    ("sets.intersects(numbers, empty)", BUDGET, 250_000),
    ("sets.intersects(empty, numbers)", "violated", 0),
    ("sets.equivalent(numbers, ones)", BUDGET, 500_000),
    ("size(numbers.reverse()) > 0", "satisfied", 15_000),
    ("size(numbers.slice(1, 200000)) > 0", "satisfied", 12_000),
    ("size(numbers + ones) > 0", "satisfied", 46_000),
    ("optional.of(map) == optional.of(same)", BUDGET, 500_000),
    # what looks at no more than the beginning of a value, or only at its size
    ("size(text) > 0 && size(map) > 0 && size(numbers) > 0", "satisfied", 0),
    ("text.startsWith('y')", "violated", 0),
    ("text.charAt(5) == 'x'", "satisfied", 0),
    ("numbers[?5].orValue(1) == 5", "satisfied", 0),
    ("numbers.first().value() == 0", "satisfied", 0),
    ("int(text) > 0", "invalid_argument", 0),
    ("double(text) > 0.0", "invalid_argument", 0),
    ("bool(text)", "invalid_argument", 0),
    ("duration(text) > duration('0')", "invalid_argument", 0),
    ("ip(text) == ip('10.0.0.1')", "invalid_argument", 0),
]

HOSTILE += [
    Hostile(name=f"large: {rule}", rule=rule, context=partial(large, rule), ends=(ends,), spends=spends)
    for rule, ends, spends in LARGE
]
