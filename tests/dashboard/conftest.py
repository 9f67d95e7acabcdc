"""One browser for all tests of pages, one server for each module, and windows that are watched."""

from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.api.conftest import template
from tests.dashboard.browser import DESK, Watch, launched, window
from tests.dashboard.serving import serving

__all__ = ["template"]  # a populated server, to be copied


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(one_loop):
    """Debian's Chromium."""
    del one_loop
    async with launched() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory, template, one_loop):
    """A server with something of every kind, which the tests of a module share."""
    del one_loop
    async with serving(tmp_path_factory.mktemp("site") / "data", template) as found:
        yield found


@pytest.fixture
def watch(site):
    """What went wrong in any window of this test: the test fails when something did."""
    made = Watch(site.url)
    yield made
    made.done()


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(browser, site, watch):
    """What opens a window of somebody who is signed in, or of a stranger for None."""
    async with AsyncExitStack() as stack:

        async def opened(caller="admin", view=DESK):
            page = await stack.enter_async_context(window(browser, watch, view))
            if caller is not None:
                await site.sign_in(page.context, caller)
            return page

        yield opened


@pytest.fixture
def view():
    """How the test looks at pages; another one by `@pytest.mark.parametrize("view", VIEWS, ids=str)`."""
    return DESK


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_window, view):
    """A window of acme's administrator."""
    return await open_window(view=view)
