"""What agents read of the tools: when to call one, what to send, and what to do with its answer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

INSTRUCTIONS: Final = (
    "Bylaw holds the policies that govern what you may do. Before you act, call `decide` and obey its"
    " outcome; no answer is not a permission. After a decision, call `certify_decision` and show its"
    " verify_url to whoever relies on it. `search_policies` tells which rules there are. A failed call"
    " says in `detail` what is wrong and in `errors` where: mend that and call again, and do not act"
    " meanwhile."
)
DECIDE: Final = (
    "Ask whether something may be said or done, before it is. For a call of a tool send phase"
    " `tool_call` and the exact `tool_call`; for an answer send phase `output` and `agent_output`. Put"
    " the facts that policies need (amounts, customer, status) into `metadata`. Then obey `outcome`:"
    " `allow` and `flag`: go on. `review`: do not act; a person has to approve first. `block`: do not"
    " act; `reasons` say why, look for another way. If there is `masked`, use what is in it instead of"
    " what you sent. If you asked about the question in phase `input`, send that decision's receipt_id as"
    " `follows` with the answer: rules about the question are not asked again."
)
CERTIFY: Final = (
    "Have a decision that you made checked against the policies that govern you, and certified by a"
    " signed receipt that anybody can verify at `verify_url`. Branch on `risk_level`: low: send the"
    " answer, medium: ask a person or say what is uncertain, high: stop. `decision` is approve, review"
    " or reject; `summary` says why. Send the same `idempotency_key` when you repeat a call, and no"
    " second receipt is made."
)
READ: Final = (
    "Read a receipt: what was decided, by which versions of which policies, and what each rule came"
    " to. It needs an id that certify_decision, decide or list_my_receipts gave."
)
VERIFY: Final = (
    "Check that a receipt is what was issued: its signature, the hashes of its request and decision,"
    " and its place in the log. Rely on it only if `verified` is true; `steps` say what failed. null"
    " is what could not be checked, for example because a body was erased."
)
PROVE: Final = (
    "Get the proof that a receipt is in the log: hashes that lead from it to the root of a signed"
    " checkpoint. `anchor_status` is pending until a checkpoint covers it, a moment after it was made."
    " The log is this server's own and no independent evidence."
)
LIST: Final = (
    "List the receipts of decisions that the key may read, the newest first. Send `next_cursor` as"
    " `cursor` for the next page; it is null on the last."
)
SEARCH: Final = (
    "Find the policies in force, to know the rules before planning. With `query` the best come first;"
    " without, the newest. Each has its rules (`expr` must be true, `text` is in words), `conditions`"
    " that say when it applies, and `action`: what happens when it is violated."
)
# What each argument is.
FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "agent_id": "Your own stable name, the same in every call: policies are bound to it.",
        "agent_output": "What you said or are about to say.",
        "approval_id": "The approval that a person gave for exactly this call, from an earlier `review`.",
        "conversation_id": "The conversation that this belongs to.",
        "cursor": "`next_cursor` of the page before.",
        "deadline_ms": "Milliseconds after which no answer is wanted; rules in words may be undecided then.",
        "dry_run": "true: decide without a receipt and without consequences.",
        "follows": "The receipt_id of the decision in phase input, when you ask about the answer to it.",
        "host": "Where the model runs.",
        "idempotency_key": "Any text of your own for this call: repeated under it, it is carried out once.",
        "limit": "The most items to return.",
        "messages": "The conversation so far, each with `role` and `content`.",
        "metadata": 'Facts that rules read by name, such as {"amount": 4200, "vendor_status": "approved"}.',
        "model": "The model that you run on.",
        "outcome_of": "The id of the receipt of the decision whose outcome this reports.",
        "phase": "What is asked about: input, output, tool_call, tool_result or decision.",
        "platform": "`bedrock`, `copilot`, `langchain`, `crewai`, `custom` or another word.",
        "policy_id": "A policy to check by in place of the bound one, if the key may choose policies.",
        "policy_rules": "More rules for this call: text, or {type, expr} or {type, text}. They only add.",
        "provider": "The provider of the model.",
        "query": "Words to look for in rules and topics.",
        "rationale": "Why you decide so.",
        "receipt_id": "The id of a receipt: rcpt_…",
        "repo_id": "The repo in which this happens.",
        "retrieval_summary": "What was looked up, in words.",
        "route": "true: find the topics by what the customer said first; what can stop something stays.",
        "routed": "Where the customer's words led in an earlier answer: sent again, it is not looked for.",
        "tool_call": "The call: its `name` and its exact `arguments`.",
        "tool_calls": "The calls that led to the decision, each with `name`, `arguments` and `result`.",
        "tool_result": "What the tool returned.",
        "tools_used": "Names of the tools that were used.",
        "topic": "Only policies of this topic.",
        "topics": "Topics that this touches: policies with another topic are left out.",
        "user_id": "The person on whose behalf you act.",
        "user_intent": "What the person asked for.",
        "workspace_id": "The workspace in which this happens.",
    }
)
