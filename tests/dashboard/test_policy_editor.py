"""Writing a policy in the dashboard: the form is one value, and what it saves is what it shows."""

from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import expect

from bylaw.dashboard.pages.policy_fact import FactField, conditions_in, facts_of
from bylaw.dashboard.pages.policy_form import changed, form_in, form_of
from bylaw.dashboard.pages.policy_situation import Situation, Unreadable, situation_of
from tests.dashboard.lessons import reader

OPERATORS = ["gt", "gte", "lt", "lte", "between", "eq", "ne", "in", "not_in", "contains", "exists", "odd"]
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
                "metadata.country": scalars | st.lists(scalars, max_size=3),
                "keywords": words | st.lists(words, max_size=3),
                "amount": st.dictionaries(st.sampled_from(OPERATORS), values, max_size=3),
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


ROWS = [
    ({"keywords": ["refund", "money back"]}, [("keywords", "is", "refund, money back")]),
    ({"country": ["DE", "a, b", "5"]}, [("country", "is", 'DE, "a, b", "5"')]),
    ({"amount": {"gt": 100, "lte": 500.5}}, [("amount", "gt", "100"), ("amount", "lte", "500.5")]),
    ({"amount": {"between": [1, 9]}}, [("amount", "between", "1, 9")]),
    ({"tier": {"not_in": ["gold"]}, "vip": False}, [("tier", "not_in", "gold"), ("vip", "is", "false")]),
    (
        {"order": {"exists": True}, "note": {"exists": False}},
        [("order", "there", ""), ("note", "missing", "")],
    ),
    (
        {"note": {"contains": "שלום"}, "lang": {"ne": "de"}},
        [("note", "contains", "שלום"), ("lang", "ne", "de")],
    ),
]


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


async def post(somebody, path, fields):
    """Send the editor's form: these fields, with the mark of a page if they hold none."""
    if "mark" not in dict(fields):
        shown = fields_in((await somebody.open(path)).text)
        fields = [*(each for each in shown if each[0] == "mark"), *fields]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await somebody.client.post(path, content=urlencode(fields), headers=headers)


@given(requests)
@settings(max_examples=60)
def test_a_request_shown_as_a_situation_is_the_same_request(request):
    assert situation_of(request).request() == request


@given(versions)
@settings(max_examples=60)
def test_a_version_shown_in_the_form_is_the_same_content(version):
    assert form_of(version).content() == version


@pytest.mark.parametrize(("said", "rows"), ROWS)
def test_a_condition_is_a_row_that_people_can_read(said, rows):
    facts, rest = facts_of(said)
    assert ([(each.name, each.how, each.value) for each in facts], rest) == (rows, {})
    assert conditions_in(facts) == said


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([("amount", "gt", "")], "compared with"),
        ([("amount", "gt", "1, 2")], "Only one value"),
        ([("", "is", "5")], "which fact"),
        ([("amount", "is", "5"), ("amount", "gt", "2")], "above already"),
    ],
)
def test_a_condition_that_says_too_little_or_too_much_is_said_so(rows, wrong):
    facts = [FactField(name=name, how=how, value=value) for name, how, value in rows]
    with pytest.raises(Unreadable, match=wrong) as error:
        conditions_in(facts)
    assert error.value.field == f"facts[{len(rows) - 1}]"


def test_a_rule_that_is_added_and_removed_leaves_the_form_as_it_was():
    form = form_in([("name", "N"), ("rule.0.kind", "nl"), ("rule.0.text", "Never.")])
    for button, place in (("add-words", 1), ("add-expression", 1)):
        assert changed(changed(form, button), f"remove-rule-{place}") == form
    assert changed(changed(form, "add-example"), "remove-example-0") == form
    assert changed(changed(form, "add-fact"), "remove-fact-0") == form
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


CASE = {"phase": "tool_call", "tool_call": {"name": "pay", "arguments": {"amount": 9000}, "id": "c"}}
WHOLE = {
    "name": "Café “limit” <b>",
    "topic": "invoices",
    "description": "\n Two lines,\nthe first empty. ",
    "rules": [
        {
            "type": "nl",
            "text": "Never promise\na date.",
            "effect": "flag",
            "message": "No.",
            "attention": True,
        },
        {"type": "deterministic", "expr": "tool_call.arguments.amount < 5000", "message": ""},
    ],
    "conditions": {"phase": ["input", "tool_call"], "tool_call.name": "pay", "min_amount": 5},
    "risk": "HIGH",
    "action": "review",
    "on_indeterminate": "block",
    "examples": [{"name": "Large", "expect": "violate", "request": CASE}],
    "mask": {"fields": ["tool_result.card"], "personal_data": ["email"]},
    "evaluator": "offline",
}
MINE = [("name", "Mine"), ("rule.0.kind", "nl"), ("rule.0.text", "Never say 'lawsuit'."), ("reach", "bound")]


async def test_saving_what_is_shown_changes_nothing(site):
    made = await site.world.make("/v1/policies", {**WHOLE, "reach": "bound"})
    address = f"/policies/{made['id']}/edit"
    async with reader(site) as somebody:
        sent = fields_in((await somebody.open(address)).text)
        assert form_in(sent).content() == form_of(made).content()
        found = await post(somebody, address, [*sent, ("do", "save")])
    assert found.status_code == 303
    after = (await site.world.send("admin", "GET", f"/v1/policies/{made['id']}")).json()
    assert (after["latest"], after["digest"]) == (1, made["digest"])


async def test_a_newcomer_writes_adds_removes_and_saves_without_scripts(site):
    async with reader(site) as somebody:
        more = await post(somebody, "/policies/new", [*MINE, ("do", "add-expression")])
        assert 'name="rule.1.text"' in more.text
        less = await post(somebody, "/policies/new", [*fields_in(more.text), ("do", "remove-rule-1")])
        assert 'name="rule.1.text"' not in less.text
        saved = await post(
            somebody, "/policies/new", [*fields_in(less.text), ("reason", "W"), ("do", "save")]
        )
        assert saved.status_code == 303
        shown = await somebody.open(saved.headers["location"])
    assert "It is in force now." in shown.text
    assert "Never say &#39;lawsuit&#39;." in shown.text


async def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(site):
    wrong = [("name", ""), ("rule.0.kind", "deterministic"), ("rule.0.text", "amount <"), ("do", "save")]
    async with reader(site) as somebody:
        found = await post(somebody, "/policies/new", wrong)
    assert found.status_code == 422
    assert "Nothing was saved" in found.text
    assert "line 1, column 9" in found.text
    assert "\n        ^" in found.text
    assert "It must not be blank." in found.text
    assert ("rule.0.text", "amount <") in fields_in(found.text)


async def test_a_case_is_tried_on_what_is_not_saved(site):
    case = [("try.agent_output", "I will file a lawsuit."), ("do", "try")]
    async with reader(site) as somebody:
        before = (await somebody.open("/policies")).text.count("Mine")
        found = (await post(somebody, "/policies/new", [*MINE, *case])).text
        assert (await somebody.open("/policies")).text.count("Mine") == before
    assert "<strong>Blocked</strong>" in found
    assert "With all other policies in force" in found


async def test_a_stale_change_shows_both_and_may_be_saved_over(site):
    made = await site.world.make("/v1/policies", {"name": "A", "rules": [{"expr": "true"}], "reach": "bound"})
    address = f"/policies/{made['id']}/edit"
    async with reader(site) as somebody:
        sent = [each for each in fields_in((await somebody.open(address)).text) if each[0] != "name"]
        await site.world.make(f"/v1/policies/{made['id']}", {"name": "B"}, method="PATCH")
        found = await post(somebody, address, [*sent, ("name", "C"), ("do", "save")])
        assert found.status_code == 412
        assert "Somebody changed it while you wrote" in found.text
        assert '<td class="written" dir="auto">B</td><td class="written" dir="auto">C</td>' in found.text
        again = await post(somebody, address, [*fields_in(found.text), ("do", "save")])
        assert again.status_code == 303
    assert (await site.world.send("admin", "GET", f"/v1/policies/{made['id']}")).json()["name"] == "C"


async def test_a_change_that_is_sent_twice_is_saved_and_not_called_stale(site):
    made = await site.world.make("/v1/policies", {"name": "A", "rules": [{"expr": "true"}], "reach": "bound"})
    address = f"/policies/{made['id']}/edit"
    async with reader(site) as somebody:
        sent = fields_in((await somebody.open(address)).text)
        sent = [*(each for each in sent if each[0] != "name"), ("name", "Twice"), ("do", "save")]
        answers = [await post(somebody, address, sent) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    found = await site.world.send("admin", "GET", f"/v1/policies/{made['id']}/versions")
    assert len(found.json()["data"]) == 2


async def test_who_may_only_read_tries_a_policy_and_is_told_who_saves_it(site):
    key = await site.world.make("/v1/keys", {"name": "reads", "scopes": ["policy:read"]})
    site.world.keys["reads"] = key["key"]
    async with reader(site, "reads") as somebody:
        shown = (await somebody.open("/policies/new")).text
    assert "You may try this here, not save it" in shown
    assert 'value="save"' not in shown


async def test_what_waits_for_review_is_said_so(site):
    await site.world.make("/v1/workspaces", {"id": "careful", "name": "Careful", "review_edits": True})
    async with reader(site) as somebody:
        checked = await post(somebody, "/policies/new", [*MINE, ("place", "careful"), ("do", "check")])
        assert "Saved, it waits for review" in checked.text
        saved = await post(somebody, "/policies/new", [*MINE, ("place", "careful"), ("do", "save")])
        shown = await somebody.open(saved.headers["location"])
    assert "It waits for review and is not in force yet." in shown.text


async def test_a_condition_is_written_without_json(page, site):
    await page.goto("/policies/new")
    await page.get_by_label("Name", exact=True).first.fill("Only in two countries")
    await page.get_by_label("Rule 1", exact=True).fill("Never promise a delivery date.")
    await page.get_by_text("Only in certain cases").click()
    await page.get_by_role("button", name="Add a condition").click()
    await expect(page.get_by_label("Fact 1")).to_be_focused()
    await page.keyboard.type("metadata.country")
    await page.get_by_label("With what").fill(" ")
    await expect(page.locator("#fact-0-said")).to_have_text("Say what it is compared with.")
    await page.get_by_label("With what").fill("DE, AT")
    await expect(page.locator("#fact-0-said")).to_be_empty()
    await page.get_by_role("button", name="Add a condition").click()
    await page.get_by_label("Fact 2").fill("amount")
    await page.get_by_label("How it compares").nth(1).select_option("is over")
    await page.get_by_label("With what").nth(1).fill("100")
    await page.get_by_role("button", name="Save the policy").click()
    said = "metadata.country is one of DE, AT, and amount is over 100"
    await expect(page.locator(".facts").first).to_contain_text(said)
    ident = page.url.rpartition("/")[2]
    made = (await site.world.send("admin", "GET", f"/v1/policies/{ident}")).json()
    assert made["conditions"] == {"metadata.country": ["DE", "AT"], "amount": {"gt": 100}}


async def test_what_is_typed_is_checked_at_once(page):
    await page.goto("/policies/new")
    await page.get_by_label("Name", exact=True).first.fill("No lawsuits")
    await page.get_by_label("Rule 1", exact=True).fill("Reject any output that mentions 'lawsuit'.")
    await expect(page.locator("#rule-0-said")).to_contain_text("Looks for 'lawsuit'")
    await page.get_by_label("What the agent says").first.fill("I file a lawsuit.")
    await expect(page.locator("#tried .verdict")).to_contain_text("Blocked")
    await page.get_by_role("button", name="Add an exact rule").click()
    await expect(page.get_by_label("Rule 2", exact=True)).to_be_focused()
    await page.get_by_label("Rule 2", exact=True).fill("amount <")
    await expect(page.locator("#rule-1-said")).to_contain_text("^")
    await expect(page.locator("#check")).to_contain_text("Mend 1 field")
    await page.get_by_label("Rule 2", exact=True).fill("amount < 5")
    await expect(page.locator("#rule-1-said")).not_to_contain_text("^")
    await expect(page.get_by_label("Rule 2", exact=True)).to_be_focused()
