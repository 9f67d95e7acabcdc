"""What a server refuses is the same error here, by its code; anything else is Unavailable."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest

from bylaw.api.incoming import Incoming
from bylaw.api.problems import STATUS, Failures
from bylaw.cli.remote import Remote
from bylaw.core import errors

REFUSALS = [
    errors.InvalidInput.of("name", "required", "name: It has to be there."),
    errors.Unauthenticated("Nobody."),
    errors.Forbidden("Not you.", needs="admin"),
    errors.NotFound("policy", "p1"),
    errors.Conflict("Not now.", reason="exists"),
    errors.PreconditionFailed("Too late.", current='"7"'),
    errors.TooLarge("Too much.", limit=10, unit="bytes"),
    errors.RateLimited("Too fast.", retry_after_s=12),
    errors.DeadlineExceeded("Too slow."),
    errors.Unavailable("Not here."),
    errors.Corrupt("Broken.", place="leaf 1"),
]


@contextmanager
def refusing(status, body, headers=()):
    """The address of a server that answers one request, with this."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name.decode(), value.decode())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            thread.join()


def refused(status, body, headers=()):
    with refusing(status, body, headers) as url, pytest.raises(errors.BylawError) as caught:
        Remote(url).request("GET", "/")
    return caught.value


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.code)
def test_a_refusal_is_the_error_that_the_server_raised(error):
    asked = Incoming(id="req-1", method="GET", path="/", headers={})
    sent = Failures().of(error, asked)
    found = refused(sent.status, sent.body, sent.headers)
    assert (type(found), found.message) == (type(error), error.message)
    for name in ("problems", "needs", "reason", "current", "limit", "retry_after_s"):
        assert getattr(found, name, None) == getattr(error, name, None)


def test_every_error_that_the_api_answers_with_is_tried():
    # A root, one that is read as InvalidInput, and one for those who sign in, as no command does.
    others = {errors.BylawError, errors.RuleSyntax, errors.ChooseTenant}
    assert {type(error) for error in REFUSALS} == set(STATUS) - others


def test_a_rule_that_does_not_compile_names_its_place():
    error = errors.RuleSyntax("No end.", line=1, column=3, caret="a <\n  ^")
    asked = Incoming(id="req-1", method="GET", path="/", headers={})
    sent = Failures().of(error, asked)
    found = refused(sent.status, sent.body)
    assert isinstance(found, errors.InvalidInput)
    assert [problem.path for problem in found.problems] == ["expr"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.Unauthenticated),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (413, errors.TooLarge),
        (429, errors.RateLimited),
        (502, errors.Unavailable),
    ],
)
@pytest.mark.parametrize("body", [b"<html>", msgspec.json.encode({"detail": ""})])
def test_a_refusal_that_is_not_ours_is_told_by_its_status(status, kind, body):
    found = refused(status, body)
    assert type(found) is kind
    assert str(status) in found.message
