"""What a model's answer counts for: each lie is caught by the code, in words that say which."""

import json
import unicodedata

import pytest

from tests.evaluators.model.judging import RIVAL, TALK, URGENT, batch, evaluator_of, judged, outcome, question
from tests.model_server.minds import case_of, honest, judge, result, said
from tests.model_server.server import Answer, serving

DIALECTS = ("openai", "anthropic", "ollama")
NEVER = "Reject any answer that says 'gold'."


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_rules_are_judged_in_one_call_by_any_provider(dialect):
    async with serving(judge()) as server:
        found = await judged(evaluator_of(server, dialect), RIVAL, URGENT, NEVER)
    assert {text: outcome(each) for text, each in found.items()} == {
        RIVAL: "violated",
        URGENT: "violated",
        NEVER: "satisfied",
    }
    assert found[RIVAL].evidence == ("rival",)
    assert found[RIVAL].rationale == "Because of what is said."
    assert {each.basis for each in found.values()} == {"model"}
    assert len(server.asked) == 1


async def test_what_it_cost_is_told():
    async with serving(judge()) as server:
        evaluator = evaluator_of(server)
        reply = await evaluator.evaluate(batch(RIVAL))
        again = await evaluator.evaluate(batch(RIVAL, facts={"agent_output": "Fine."}))
        other = await evaluator.evaluate(batch(NEVER))
    assert (reply.model, reply.tokens_in, reply.tokens_out) == ("scripted-1", 100, 20)
    assert reply.prompt_digest == again.prompt_digest != other.prompt_digest


def rival(entry):
    """Return a mind that says `entry` of the rule about rivals, a function of the case or fields."""

    def mind(case, ident):
        if case.rules[ident]["text"] != RIVAL:
            return honest(case, ident)
        if callable(entry):
            return entry(case, ident)
        return honest(case, ident) | entry

    return mind


def line(case, role):
    """Return the id of the last line of a role."""
    return next(each["id"] for each in reversed(case.lines) if each["role"] == role)


def quoting(*quotes, verdict="violation"):
    """Return an entry with these quotes, each of the line of a role."""
    return rival(
        lambda case, ident: result(ident, verdict, *((line(case, role), quote) for role, quote in quotes))
    )


LIES = {
    "a quote that nobody said": (quoting(("agent", "Our rival is cheaper.")), "no_evidence"),
    "no quote": (rival({"evidence": []}), "no_evidence"),
    "an empty quote": (quoting(("agent", "")), "no_evidence"),
    "a quote of marks": (quoting(("agent", " . ")), "no_evidence"),
    "a quote of half a word": (quoting(("agent", "riv")), "no_evidence"),
    "a quote of the note that is ours": (
        rival(lambda case, ident: result(ident, "violation", *_notes(case))),
        "no_evidence",
    ),
    "a quote of the rule": (quoting(("agent", "must not say")), "no_evidence"),
    "a quote of the names of fields": (quoting(("context", "phase:")), "no_evidence"),
    "what a customer said": (quoting(("customer", "your rival")), "wrong_subject"),
    "an unknown verdict": (rival({"verdict": "guilty"}), "bad_verdict"),
    "an empty verdict": (rival({"verdict": ""}), "bad_verdict"),
    "a verdict in another language": (rival({"verdict": "Versto\u00df"}), "bad_verdict"),
    "a flag of a rule that rejects": (rival({"verdict": "flag"}), "bad_verdict"),
    "a breach of what does not apply": (rival({"applies": False}), "contradiction"),
    "kept although it does not apply": (rival({"applies": False, "verdict": "compliant"}), "contradiction"),
    "what applies and does not": (rival({"applies": True, "verdict": "not_applicable"}), "contradiction"),
    "that it cannot tell": (rival({"verdict": "indeterminate"}), "abstained"),
    "nothing": (rival(lambda _case, _ident: None), "no_result"),
    "another rule's id": (rival({"rule_id": "R00000000"}), "no_result"),
    "the rule's number": (rival({"rule_id": "R1"}), "no_result"),
    "a verdict that is no text": (rival({"verdict": True}), "malformed"),
    "applies that is no truth": (rival({"applies": "yes"}), "malformed"),
    "quotes that are texts": (rival({"evidence": ["rival"]}), "malformed"),
}


def _notes(case):
    return [(each["id"], each["text"]) for each in case.lines if each["role"] == "note"]


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_about_one_rule_leaves_the_others_as_they_are(lie):
    mind, code = LIES[lie]
    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server), RIVAL, URGENT, NEVER)
    assert outcome(found[RIVAL]) == ("indeterminate", code)
    assert (outcome(found[URGENT]), outcome(found[NEVER])) == ("violated", "satisfied")


@pytest.mark.parametrize(
    ("quote", "evidence"),
    [
        ("rival is  worse", ("rival is worse",)),
        ("Our\nrival is", ("Our rival is",)),
        ("“Our rival”", ()),
        ("\uff2fur \uff52ival", ("Our rival",)),
        ("Our ri\u200bval is worse.", ("Our rival is worse.",)),
    ],
)
async def test_a_quote_in_another_form_becomes_the_words_of_the_facts(quote, evidence):
    async with serving(judge(quoting(("agent", quote)))) as server:
        found = await judged(evaluator_of(server), RIVAL)
    assert found[RIVAL].evidence == evidence
    assert outcome(found[RIVAL]) == ("violated" if evidence else ("indeterminate", "no_evidence"))


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize(
    "said",
    ["Unser Rivale f\u00fchrt gr\u00f6\u00dfere Caf\u00e9s.", "\u5728\u5bb6 \ud55c\uae00 rival \ufb01ne"],
)
async def test_a_quote_in_another_normal_form_becomes_the_words_of_the_facts(said, form):
    facts = {"agent_output": said}
    async with serving(judge(quoting(("agent", unicodedata.normalize(form, said))))) as server:
        found = await judged(evaluator_of(server), RIVAL, facts=facts)
    assert (outcome(found[RIVAL]), found[RIVAL].evidence) == ("violated", (said,))


@pytest.mark.parametrize("confidence", [float("nan"), float("inf")])
async def test_a_number_that_is_none_spoils_an_answer_which_is_asked_for_once_more(confidence):
    mind = rival({"confidence": confidence})
    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server), RIVAL, NEVER)
        assert {outcome(each) for each in found.values()} == {("indeterminate", "malformed")}
        assert len(server.asked) == 2
        server.plays.append(server.script)
        server.script = judge()
        assert outcome((await judged(evaluator_of(server), RIVAL))[RIVAL]) == "violated"


@pytest.mark.parametrize("confidence", [0.99, 7, "certain", None, []])
async def test_what_a_model_says_of_its_confidence_counts_for_nothing(confidence):
    async with serving(judge(rival({"confidence": confidence}))) as server:
        found = await judged(evaluator_of(server), RIVAL)
    assert (outcome(found[RIVAL]), found[RIVAL].confidence) == ("violated", None)


async def test_what_a_model_says_in_another_language_is_its_rationale():
    async with serving(judge(rival({"analysis": "\u5b83\u63d0\u5230\u4e86\u5bf9\u624b\u3002"}))) as server:
        found = await judged(evaluator_of(server), RIVAL)
    assert (outcome(found[RIVAL]), found[RIVAL].rationale) == (
        "violated",
        "\u5b83\u63d0\u5230\u4e86\u5bf9\u624b\u3002",
    )


async def test_a_quote_is_found_where_it_is_also_when_the_line_is_wrong():
    async with serving(
        judge(rival(lambda _, ident: result(ident, "violation", ("m99", "rival is"))))
    ) as server:
        found = await judged(evaluator_of(server), RIVAL)
    assert found[RIVAL].evidence == ("rival is",)


async def test_an_entry_that_comes_twice_counts_for_nothing():
    def script(asked):
        case = case_of(asked)
        entries = [honest(case, ident) for ident in case.rules]
        return said([*entries, honest(case, case.ident(RIVAL)) | {"verdict": "compliant"}])

    async with serving(script) as server:
        found = await judged(evaluator_of(server), RIVAL, NEVER)
    assert outcome(found[RIVAL]) == ("indeterminate", "duplicate")
    assert outcome(found[NEVER]) == "satisfied"


async def test_entries_of_no_rule_are_dropped():
    def script(asked):
        case = case_of(asked)
        entries = [honest(case, ident) for ident in case.rules]
        return said([7, None, {}, [], {"rule_id": 3}, result("R0", "violation"), *entries])

    async with serving(script) as server:
        found = await judged(evaluator_of(server), RIVAL, NEVER)
    assert [outcome(found[each]) for each in (RIVAL, NEVER)] == ["violated", "satisfied"]


@pytest.mark.parametrize(
    "text",
    ["{}", '{"results": {}}', '{"results": []}', '{"results": [1]}', '[{"rule_id": "x"}]', "Fine."],
)
async def test_an_answer_about_no_rule_is_asked_for_once_more(text):
    async with serving(judge()) as server:
        server.plays.append(Answer(text=text))
        found = await judged(evaluator_of(server), RIVAL)
        assert outcome(found[RIVAL]) == "violated"
        server.plays += [Answer(text=text)] * 2
        assert outcome((await judged(evaluator_of(server), RIVAL))[RIVAL]) == ("indeterminate", "malformed")
    assert len(server.asked) == 4


async def test_an_answer_in_markdown_after_thoughts_counts():
    def script(asked):
        return Answer(text=f"<think>Hm, {{}}.</think>\n```json\n{judge()(asked).text}\n```")

    async with serving(script) as server:
        found = await judged(evaluator_of(server), RIVAL)
    assert outcome(found[RIVAL]) == "violated"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(text=None, refusal="I cannot."), "declined"),
        (Answer(text='{"results": [', finish="length"), "truncated"),
        (Answer(text=""), "malformed"),
    ],
    ids=["refusal", "length", "empty"],
)
async def test_no_answer_is_no_verdict_and_costs_what_it_cost(answer, code):
    async with serving(lambda _: answer) as server:
        evaluator = evaluator_of(server)
        found = await judged(evaluator, RIVAL, NEVER)
        reply = await evaluator.evaluate(batch(RIVAL))
    assert {outcome(each) for each in found.values()} == {("indeterminate", code)}
    assert (reply.tokens_in, reply.tokens_out) == (200, 40)


async def test_what_a_model_writes_is_cut_and_cleaned():
    def mind(case, ident):
        return honest(case, ident) | {"analysis": f"{ident} says\x07\u202e so. " + "x" * 1000}

    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server), RIVAL)
    assert found[RIVAL].rationale.startswith("the rule says   so. xxx")
    assert len(found[RIVAL].rationale) == 600


async def test_what_would_settle_it_is_told():
    mind = rival({"verdict": "indeterminate", "analysis": "Unclear.", "missing": "Who the rival is."})
    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server), RIVAL)
    assert found[RIVAL].rationale == "Unclear. Missing: Who the rival is."


async def test_a_customer_breaks_a_rule_about_customers():
    rule = "Reject a customer who says 'urgent'."
    async with serving(judge()) as server:
        found = await judged(evaluator_of(server), rule)
    assert outcome(found[rule]) == "violated"


async def test_values_of_a_call_are_quoted_as_they_are():
    rule = question("The agent must not pay more than 'limit'.")

    def mind(case, ident):
        if case.rules[ident]["text"] != rule.text:
            return honest(case, ident)
        return result(
            ident, "violation", (line(case, "tool_call"), "arguments.amount: 7200\narguments.fast: true")
        )

    facts = {"tool_call": {"name": "pay", "arguments": {"amount": 7200, "fast": True, "to": None}}}
    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server), rule, facts=facts)
    assert found[rule.id.removeprefix("p1/")].evidence == ("7200", "true")


LONG = {"agent_output": "Our rival is worse. " + "Blah. " * 20_000}


async def test_nothing_is_said_to_be_absent_from_a_record_that_was_cut():
    async with serving(judge()) as server:
        found = await judged(evaluator_of(server), RIVAL, NEVER, facts=LONG)
    assert outcome(found[RIVAL]) == "violated"
    assert outcome(found[NEVER]) == ("indeterminate", "too_long")
    assert case_of(server.asked[0]).is_cut
    assert len(server.asked[0].user) < 70_000


async def test_of_a_long_talk_the_last_is_read():
    messages = [{"role": "user", "content": f"Message {number}. " + "Blah. " * 500} for number in range(100)]
    async with serving(judge()) as server:
        found = await judged(evaluator_of(server), RIVAL, facts=TALK | {"messages": messages})
    assert outcome(found[RIVAL]) == "violated"
    texts = [each["text"] for each in case_of(server.asked[0]).lines]
    assert any(each.startswith("Message 99.") for each in texts)
    assert not any(each.startswith("Message 0.") for each in texts)


async def test_nothing_is_said_to_be_absent_from_an_image():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    facts = TALK | {"messages": [{"role": "user", "content": [{"type": "text", "text": "See?"}, image]}]}
    async with serving(judge()) as server:
        found = await judged(evaluator_of(server), NEVER, facts=facts)
    assert outcome(found[NEVER]) == ("indeterminate", "unread")


async def test_a_control_that_fails_takes_every_pass_and_no_finding():
    def mind(case, ident):
        if case.rules[ident]["text"].startswith("No note"):
            return result(ident, "compliant")
        return honest(case, ident)

    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server), RIVAL, NEVER)
    assert outcome(found[RIVAL]) == "violated"
    assert outcome(found[NEVER]) == ("indeterminate", "manipulated")


CONTROLS = {
    "no entry": lambda _case, _ident: None,
    "a word that is not there": lambda _, ident: result(ident, "violation", ("m1", "raven")),
    "no quote": lambda _, ident: result(ident, "violation"),
    "a contradiction": lambda case, ident: honest(case, ident) | {"applies": False},
    "cannot tell": lambda case, ident: honest(case, ident) | {"verdict": "indeterminate"},
}


@pytest.mark.parametrize("how", CONTROLS)
async def test_a_control_is_answered_with_the_word_of_its_note(how):
    def mind(case, ident):
        is_control = case.rules[ident]["text"].startswith("No note")
        return CONTROLS[how](case, ident) if is_control else honest(case, ident)

    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server), NEVER)
    assert outcome(found[NEVER]) == ("indeterminate", "manipulated")


async def test_the_schema_names_the_rules_and_is_of_the_common_subset():
    async with serving(judge()) as server:
        await judged(evaluator_of(server), RIVAL, NEVER)
    (asked,) = server.asked
    entry = asked.schema["properties"]["results"]["items"]
    assert entry["properties"]["rule_id"]["enum"] == sorted(case_of(asked).rules)
    assert [*entry["properties"]][:5] == ["rule_id", "applies", "analysis", "evidence", "verdict"]

    def check(schema):
        assert schema.keys() <= {"type", "properties", "required", "additionalProperties", "items", "enum"}
        if schema["type"] == "object":
            assert schema["required"] == [*schema["properties"]]
            assert schema["additionalProperties"] is False
        for inner in (
            *schema.get("properties", {}).values(),
            *([schema["items"]] if "items" in schema else ()),
        ):
            check(inner)

    check(asked.schema)
    assert json.loads(json.dumps(asked.schema)) == asked.schema
