"""Every way in which a model or its endpoint fails or lies, and the test against the server for it."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STRUCTURED = "../../providers/test_structured.py"
FAILURES, BREAKERS, VERDICTS = "test_failures_of_models.py", "test_breakers.py", "test_verdicts_of_models.py"
MANIPULATION, VOTES, COMPANY, TELLING = (
    "test_manipulation.py",
    "test_votes.py",
    "test_company.py",
    "test_telling.py",
)
PASSING = "what_may_pass_is_tried_again_after_a_while"
FINAL = "what_will_not_pass_is_not_tried_again"
STALLS = "a_model_that_stalls_is_left_in_time"
LIE = "a_lie_about_one_rule_leaves_the_others_as_they_are"
UNUSABLE = "what_cannot_be_used_is_asked_for_once_more_and_then_told"

MODES = {
    "streams when nobody asked it to": (FAILURES, PASSING, '"events"'),
    "sends its answer in chunks": (FAILURES, "an_answer_in_pieces_is_one_answer", "pieces=7"),
    "ends in the middle of a chunk": (FAILURES, PASSING, '"half a chunk"'),
    "never answers": (FAILURES, STALLS, "stalls=True"),
    "stalls in the middle of the body": (FAILURES, STALLS, "halts=True"),
    "drips": (FAILURES, STALLS, "drips=True"),
    "sends a huge body": (FAILURES, "an_answer_that_is_huge_is_not_read_to_its_end", "answer_bytes"),
    "sends a page": (FAILURES, PASSING, '"a page"'),
    "calls JSON something else": (FAILURES, "what_an_answer_is_called_does_not_matter", "text/html"),
    "redirects": (FAILURES, FINAL, '"302"'),
    "compresses": (FAILURES, PASSING, '"gzip"'),
    "says that it compresses": (FAILURES, PASSING, '"no gzip"'),
    "resets the connection": (FAILURES, PASSING, '"reset"'),
    "hangs up": (FAILURES, PASSING, '"hung up"'),
    "sends less than it says": (FAILURES, PASSING, '"half a body"'),
    "sends more than it says": (FAILURES, PASSING, '"a short length"'),
    "speaks no HTTP": (FAILURES, PASSING, '"no HTTP"'),
    "is not there": (BREAKERS, "what_is_the_fault_of_an_endpoint_counts_for_all_tenants", '"nobody there"'),
    "fails": (FAILURES, PASSING, '"500"'),
    "is overloaded": (FAILURES, PASSING, '"529"'),
    "limits the rate and says for how long": (
        FAILURES,
        "who_is_asked_to_wait_waits_if_there_is_time",
        "retry_after",
    ),
    "refuses the key": (FAILURES, FINAL, '"401"'),
    "knows no such model": (FAILURES, FINAL, '"404"'),
    "keeps failing": (BREAKERS, "a_model_that_keeps_failing_is_left_alone_then_tried_once", "breaker_open"),
    "is late for one tenant": (
        BREAKERS,
        "a_model_that_is_late_for_one_tenant_is_left_alone_by_that_one",
        '"t2"',
    ),
    "is late for one of several calls": (
        FAILURES,
        "one_slow_call_of_several_costs_only_its_rules",
        "stalls=True",
    ),
    "takes no schema": (
        STRUCTURED,
        "an_endpoint_that_refuses_schemas_is_asked_for_json_and_it_is_remembered",
        '"schema"',
    ),
    "takes a schema and ignores it": (
        STRUCTURED,
        "a_schema_that_is_accepted_and_ignored_costs_a_rung",
        '"schema"',
    ),
    "takes no temperature": (STRUCTURED, "a_temperature_that_is_refused_is_left_out_from_then_on", "400"),
    "answers in prose": (STRUCTURED, UNUSABLE, '"prose"'),
    "answers in markdown, after its thoughts": (
        VERDICTS,
        "an_answer_in_markdown_after_thoughts_counts",
        "think",
    ),
    "answers half an object": (STRUCTURED, UNUSABLE, '"half an object"'),
    "answers two objects": (STRUCTURED, UNUSABLE, '"two objects"'),
    "is cut off": (STRUCTURED, UNUSABLE, '"cut"'),
    "declines": (STRUCTURED, UNUSABLE, '"a refusal"'),
    "leaves a rule out": (VERDICTS, LIE, '"nothing"'),
    "answers a rule twice": (VERDICTS, "an_entry_that_comes_twice_counts_for_nothing", "duplicate"),
    "answers rules that there are not": (VERDICTS, "entries_of_no_rule_are_dropped", '"R0"'),
    "answers with another rule's id": (VERDICTS, LIE, '"another rule\'s id"'),
    "gives a verdict that there is not": (VERDICTS, LIE, '"an unknown verdict"'),
    "answers in another language": (VERDICTS, LIE, '"a verdict in another language"'),
    "contradicts itself": (VERDICTS, LIE, '"what applies and does not"'),
    "gives a confidence that is no number": (
        VERDICTS,
        "a_number_that_is_none_spoils_an_answer_which_is_asked_for_once_more",
        "nan",
    ),
    "is sure of itself": (
        VERDICTS,
        "what_a_model_says_of_its_confidence_counts_for_nothing",
        "0.99",
    ),
    "quotes what nobody said": (VERDICTS, LIE, '"a quote that nobody said"'),
    "quotes the customer against the agent": (VERDICTS, LIE, '"what a customer said"'),
    "quotes in another normal form": (
        VERDICTS,
        "a_quote_in_another_normal_form_becomes_the_words_of_the_facts",
        "NFD",
    ),
    "is of two minds": (VOTES, "without_a_majority_nothing_is_decided", "disagreement"),
    "obeys what it judges": (
        MANIPULATION,
        "who_obeys_an_order_passes_nothing_and_who_does_not_finds_what_there_is",
        "obey",
    ),
    "obeys a rule of another place": (COMPANY, "a_rule_sways_none_of_another_place", "obeys"),
    "repeats the key": (TELLING, "a_key_stands_in_no_answer_and_in_no_log", "bad key"),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_its_test(mode):
    file, name, case = MODES[mode]
    text = (HERE / file).read_text("utf-8")
    assert re.search(rf"^(async )?def test_{name}\(", text, re.MULTILINE)
    assert case in text
