"""Every boundary of every field of every route: hundreds of requests each, so `make soak` names this file.

To work them out takes seconds even where nobody asks for them.
"""

import json

import pytest

from bylaw.api.contracts import document
from tests.api.conforming import answered_as_documented, conforming, trying
from tests.e2e.serving import serving

schema = conforming(json.loads(document()))
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serving("--data", str(tmp_path_factory.mktemp("server"))) as found:
        yield found


@schema.parametrize()
@trying(examples=15)
def test_the_server_does_what_its_document_says_at_every_boundary(case, running):
    answered_as_documented(case, running.url)
