"""What schemathesis needs to try a server by its OpenAPI document."""

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import positive_data_acceptance

from tests.e2e.serving import ADMIN_KEY

# A text that fits its schema may still be no expression, no scope or no place: 422, 404 and 409 say so.
NOT_TRIED = [positive_data_acceptance]


def conforming(document):
    """The cases of a document, asked with the operator's key and without."""
    schema = schemathesis.openapi.from_dict(document)
    schema.auth()(Bearer)
    # An oversized body is refused before anybody looks into it.
    schema.config.checks.negative_data_rejection.expected_statuses += ["413"]
    return schema


class Bearer:
    """The operator's key; schemathesis leaves it out to see that nobody gets in without."""

    def get(self, _case, _context):
        return ADMIN_KEY

    def set(self, case, data, _context):
        case.headers["Authorization"] = f"Bearer {data}"


def trying(examples):
    """The same cases in every run, `examples` of each kind for each operation."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
    )


def answered_as_documented(case, url):
    """Ask, and hold the answer against the document."""
    for asked in decisions(case.body):
        if type(asked.get("deadline_ms")) is int and 0 < asked["deadline_ms"] < 60_000:
            asked["deadline_ms"] = 60_000  # that the time of a decision passes is a documented 504
    case.call_and_validate(base_url=url, excluded_checks=NOT_TRIED)


def decisions(body):
    """Every decision that a body may ask for: itself, or those of a batch."""
    if isinstance(body, dict):
        batch = body.get("requests")
        for each in [body, *(batch if isinstance(batch, list) else ())]:
            if isinstance(each, dict):
                yield each
