"""The native contract, under `/v1`, and everything that no other family claims."""

from typing import Final

from bylaw.api.family import Family
from bylaw.api.native import (
    agents,
    approvals,
    connections,
    conversations,
    corrections,
    decisions,
    evaluators,
    events,
    imports,
    jobs,
    keys,
    learning,
    log,
    operations,
    packs,
    policies,
    receipts,
    review,
    routing,
    signing_keys,
    statistics,
    tenants,
    topics,
    users,
    webhooks,
    workspaces,
)
from bylaw.api.native.examples import ANSWERS, EXAMPLES, PARAMETERS, WORDS
from bylaw.api.openapi import Examples
from bylaw.api.problems import ProblemBody, details

NATIVE: Final = Family(
    name="native",
    prefixes=("/",),
    routers=(
        tenants.router,
        workspaces.router,
        users.router,
        keys.router,
        connections.router,
        agents.router,
        policies.router,
        topics.router,
        routing.router,
        corrections.router,
        packs.router,
        imports.router,
        decisions.router,
        evaluators.router,
        receipts.router,
        review.router,
        conversations.router,
        learning.router,
        statistics.router,
        events.router,
        webhooks.router,
        approvals.router,
        jobs.router,
        log.router,
        signing_keys.router,
        operations.router,
    ),
    dress=details,
    fails_with=ProblemBody,
    examples=Examples(whole=EXAMPLES, words=WORDS, answers=ANSWERS),
    parameters=PARAMETERS,
)
