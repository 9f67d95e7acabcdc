"""Writing a policy in the dashboard: the form is one value, and what it saves is what it shows."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bylaw.dashboard.pages.policy_form import changed, form_in, form_of
from bylaw.dashboard.pages.policy_situation import Situation, Unreadable, situation_of

words = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=12
)
said = words.filter(bool)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), words)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(words, values, max_size=3)
requests = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(["input", "output", "tool_call", "decision", "other"]),
        "agent_id": words | st.none(),
        "user_intent": words,
        "agent_output": words,
        "tool_call": st.fixed_dictionaries({"name": words, "arguments": objects}, optional={"id": words}),
        "metadata": objects,
    },
)
ids = st.integers(1, 99).map("r{}".format)
in_words = st.fixed_dictionaries(
    {
        "type": st.just("nl"),
        "id": ids,
        "text": said.filter(str.strip),
        "effect": st.sampled_from(["reject", "flag"]),
        "message": words,
        "attention": st.booleans(),
    }
)
exact = st.fixed_dictionaries(
    {
        "type": st.just("deterministic"),
        "id": ids,
        "expr": said.filter(str.strip),
        "message": words,
        "attention": st.booleans(),
    }
)
versions = st.fixed_dictionaries(
    {
        "name": words,
        "topic": st.none() | said,
        "description": words,
        "rules": st.lists(in_words | exact, max_size=4),
        "conditions": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "phase": st.sampled_from(
                    ["input", ["input", "output"], ["output", "input"], ["input"], "other", [], {"in": ["x"]}]
                ),
                "tool_call.name": st.sampled_from(
                    ["pay", ["pay", "refund"], ["a,b", "c"], [" a", "b"], 3, ""]
                ),
                "min_amount": st.integers(0, 9),
            },
        ).filter(bool),
        "risk": st.sampled_from(["LOW", "MEDIUM", "HIGH"]),
        "action": st.sampled_from(["log", "alert", "review", "block"]),
        "on_indeterminate": st.sampled_from([None, "allow", "block"]),
        "examples": st.lists(
            st.fixed_dictionaries(
                {"name": said, "expect": st.sampled_from(["pass", "violate"]), "request": requests}
            ),
            max_size=2,
        ),
        "mask": st.none()
        | st.fixed_dictionaries(
            {
                "fields": st.lists(
                    st.sampled_from(["tool_result.a", "agent_output"]), min_size=1, unique=True
                ),
                "personal_data": st.sampled_from([[], ["email"], ["iban", "phone"]]),
            }
        ),
        "evaluator": st.sampled_from([None, "offline", "model"]),
    }
)


class Controls(HTMLParser):
    """The fields that a browser would send of the form with that id, nothing being changed."""

    def __init__(self, ident):
        super().__init__()
        self.ident, self.inside, self.fields = ident, False, []
        self.area = self.select = None

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form":
            self.inside = found.get("id") == self.ident
        if not self.inside:
            return
        if tag == "input":
            if found.get("type") not in {"checkbox", "radio"} or "checked" in found:
                self.fields.append((found["name"], found.get("value", "on")))
        elif tag == "textarea":
            self.area = [found["name"], ""]
        elif tag == "select":
            self.select = [found["name"], None]
        elif tag == "option" and self.select and ("selected" in found or self.select[1] is None):
            self.select[1] = found["value"]

    def handle_data(self, data):
        if self.area:
            self.area[1] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        if tag == "textarea" and self.area:
            self.fields.append((self.area[0], self.area[1].removeprefix("\n").replace("\n", "\r\n")))
            self.area = None
        if tag == "select" and self.select:
            self.fields.append((self.select[0], self.select[1] or ""))
            self.select = None


def fields_in(page, ident="editor"):
    controls = Controls(ident)
    controls.feed(page)
    return controls.fields


@given(requests)
@settings(max_examples=60)
def test_a_request_shown_as_a_situation_is_the_same_request(request):
    assert situation_of(request).request() == request


@given(versions)
@settings(max_examples=60)
def test_a_version_shown_in_the_form_is_the_same_content(version):
    assert form_of(version).content() == version


def test_a_rule_that_is_added_and_removed_leaves_the_form_as_it_was():
    form = form_in([("name", "N"), ("rule.0.kind", "nl"), ("rule.0.text", "Never.")])
    for button, place in (("add-words", 1), ("add-expression", 1)):
        assert changed(changed(form, button), f"remove-rule-{place}") == form
    assert changed(changed(form, "add-example"), "remove-example-0") == form
    assert changed(form, "remove-rule-7") == form


def test_a_rule_without_text_is_not_sent_and_moves_no_problem_to_another():
    form = form_in([("rule.0.text", " "), ("rule.3.kind", "deterministic"), ("rule.3.text", "a <")])
    assert [rule["type"] for rule in form.content()["rules"]] == ["deterministic"]
    assert form.at("rules[0].expr") == "rules[1]"


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": NaN}', "[" * 5_000])
def test_what_is_no_json_is_said_of_its_field(text):
    with pytest.raises(Unreadable) as error:
        Situation(tool="pay", arguments=text).request()
    assert error.value.field == "arguments"
