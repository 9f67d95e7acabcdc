"""Laws of the offline evaluator: what it says of absence, of wording, and of itself."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bylaw.evaluators.offline import OfflineEvaluator, explain
from bylaw.evaluators.offline.wording import shape_of
from bylaw.evaluators.protocol import Batch, Question
from bylaw.evaluators.verdicts import verdicts
from tests.architecture.source import ROOT
from tests.shared import REASON, SHARED

FOLDER = ROOT / "tests/cases/offline"
FIELDS = {
    "out": "agent_output",
    "in": "user_intent",
    "call": "tool_call",
    "meta": "metadata",
    "messages": "messages",
}
PHASES = {"call": "tool_call", "out": "output", "in": "input"}
SETS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
RULES = [(each["rule"], each.get("effect", "reject")) for cases in SETS.values() for each in cases]


def facts_of(case):
    facts = {FIELDS[name]: value for name, value in case.items() if name in FIELDS}
    return {**facts, "phase": next((PHASES[name] for name in PHASES if name in case), "decision")}


# How a case may be decided: one that a careful reader cannot tell, in no way.
RIGHT = {"violated": {"violated"}, "satisfied": {"satisfied", "not_applicable"}, "untold": set()}


async def judge(rule, facts, effect="reject"):
    question = Question(id="r1", text=rule, effect=effect, digest="sha256:0")
    batch = Batch(questions=(question,), facts=facts, timeout_ms=1000)
    return verdicts(batch, await OfflineEvaluator().evaluate(batch))["r1"]


CASES = [
    pytest.param(each["rule"], each.get("effect", "reject"), case, id=f"{name}-{at}-{nth}")
    for name, cases in SETS.items()
    for at, each in enumerate(cases)
    for nth, case in enumerate(each["cases"])
]


@pytest.mark.parametrize(("rule", "effect", "case"), CASES)
async def test_it_is_right_or_abstains(rule, effect, case):
    verdict = await judge(rule, facts_of(case), effect)
    assert verdict.status in RIGHT[case["is"]] | {"indeterminate"}
    if not explain(rule, effect).decides:
        assert verdict.status == "indeterminate"


@pytest.mark.parametrize(
    ("name", "share"), [("tuning", 0.75), ("held-out", 0.6), ("daily-work", 0.2), ("aimed", 0.6)]
)
async def test_it_decides_as_much_as_it_did(name, share):
    found = [
        (await judge(each["rule"], facts_of(case), each.get("effect", "reject"))).status
        for each in SETS[name]
        for case in each["cases"]
    ]
    assert sum(status != "indeterminate" for status in found) / len(found) >= share


LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = st.text(LETTERS, min_size=4, max_size=9)
LOOKS = {
    "a": "\u0430@4\xe1\uff41",
    "e": "\u04353\xe9\uff45",
    "o": "\u043e0\xf3\uff4f",
    "i": "\u04561\xed\uff49",
    "s": "\u04555$\uff53",
    "c": "\u0441\uff43",
    "t": "7\uff54",
}
GAPS = st.sampled_from([" ", "  ", "\n", "\u00a0", "-", "_", "\u2013"])
HIDDEN = st.sampled_from(["", "\u200b", "\u00ad", "\u2060"])
ENDS = st.sampled_from(["", "s", "'s", "\u2019s"])
AROUND = st.sampled_from(["", "Yes: ", "we saw ", "(", "\u201c", "…"])
AFTER = st.sampled_from(["", ".", " again", ")", "\u201d!", ", no"])


@st.composite
def variants(draw):
    """A phrase of one or two words, and a way to write it that a reader would still read so."""
    words = draw(st.lists(WORDS, min_size=1, max_size=2))
    written = []
    for word in words:
        letters = [
            draw(st.sampled_from([letter, letter.upper(), *LOOKS.get(letter, "")])) + draw(HIDDEN)
            if at != 1
            else letter
            for at, letter in enumerate(word)
        ]
        written.append("".join(letters))
    return " ".join(words), draw(AROUND) + draw(GAPS).join(written) + draw(ENDS) + draw(AFTER)


@given(variants())
async def test_no_way_to_write_a_forbidden_phrase_is_said_to_be_absent(phrase_and_text):
    phrase, text = phrase_and_text
    assert (await judge(f"Never mention '{phrase}'.", {"agent_output": text})).status != "satisfied"


@given(WORDS, st.sampled_from([" ", ".", "-", "*", "_", " . "]))
async def test_letters_that_stand_apart_are_not_said_to_be_absent(word, gap):
    found = await judge(f"Never mention '{word}'.", {"agent_output": f"So {gap.join(word)} it is"})
    assert found.status != "satisfied"


@given(st.text(max_size=80), WORDS, st.text(max_size=80))
async def test_adding_the_forbidden_phrase_never_leaves_a_rule_kept(before, word, after):
    found = await judge(f"Never mention '{word}'.", {"agent_output": f"{before} {word} {after}"})
    assert found.status == "violated"


@given(st.sampled_from(RULES), st.text(" \t\n", min_size=1, max_size=3), st.sampled_from(["", ".", "!", " "]))
def test_white_space_and_the_last_stop_do_not_change_how_a_rule_is_checked(rule, space, end):
    text, effect = rule
    assert shape_of(space + text.replace(" ", f" {space}").rstrip(".") + end, effect) == shape_of(
        text, effect
    )


@given(st.permutations(["'alpha'", "'beta'", "'gamma ray'"]), st.text("abgy lphetmr'", max_size=60))
async def test_the_order_of_a_list_does_not_change_the_verdict(things, text):
    facts = {"agent_output": text}
    one = await judge(f"Never mention {', '.join(things[:-1])} or {things[-1]}.", facts)
    other = await judge("Never mention 'alpha', 'beta' or 'gamma ray'.", facts)
    assert one.status == other.status


VALUES = st.text(max_size=60) | st.integers() | st.booleans()
FACTS = st.fixed_dictionaries(
    {"phase": st.sampled_from(["input", "output", "tool_call", "decision"])},
    optional={
        "agent_output": st.text(max_size=200),
        "user_intent": st.text(max_size=200),
        "metadata": st.dictionaries(st.sampled_from(["amount", "country", "discount_percent"]), VALUES),
        "tool_call": st.fixed_dictionaries(
            {
                "name": st.sampled_from(["transfer_money", "delete_user", "reset_password"]),
                "arguments": st.dictionaries(st.sampled_from(["amount", "to"]), VALUES),
            }
        ),
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "assistant"]), "content": st.text(max_size=60)}
            )
        ),
    },
)


@given(st.sampled_from(RULES), FACTS)
async def test_what_it_explains_and_what_it_answers_never_disagree(rule, facts):
    text, effect = rule
    how, verdict = explain(text, effect), await judge(text, facts, effect)
    assert verdict.basis in {"pattern", "structured"}
    assert verdict.code in {"", "abstained", "too_long"}  # never a quote that is not in the facts
    assert how.decides or verdict.status == "indeterminate"
    assert how.needs_judge == bool(how.why)
    assert how.decides == bool(how.shape)


@given(st.text(max_size=300), st.sampled_from(["reject", "flag"]))
def test_any_rule_is_explained_in_full(text, effect):
    how = explain(text, effect)
    assert how.how
    assert how.decides or (how.needs_judge and how.why)
    assert explain(text, effect) == how


@pytest.mark.skipif(SHARED is None, reason=REASON)
def test_every_line_of_a_written_policy_is_explained():
    lines = (SHARED / "data/tau-airline/policy.md").read_text("utf-8").splitlines()
    told = [explain(line.removeprefix("- "), "reject") for line in lines if line.startswith("- ")]
    assert sum(how.shape == "several" for how in told) == 1
    assert all(how.how for how in told)


HOSTILE = [
    "a" * 2_000,
    "'" * 2_000,
    "never mention " + "'a' or " * 280,
    "never mention " + "a, " * 600,
    "if the customer mentions " + "a and " * 300,
    "block " * 300,
    "only call " + "a_b, " * 300,
    "the " * 500 + "must not exceed 5",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[each[:12] for each in HOSTILE])
def test_a_hostile_wording_is_read_in_bounded_work(text):
    assert explain(text, "reject").how


@pytest.mark.parametrize("text", ["!|" * 50_000, "1l!|" * 25_000, "i l l i " * 12_000, "@ 4 a . " * 12_000])
async def test_a_hostile_text_is_searched_in_linear_work(text):
    found = await judge("Never mention 'illi' or 'aaaa'.", {"agent_output": text})
    assert found.status in {"violated", "indeterminate", "satisfied"}
