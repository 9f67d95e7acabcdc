"""Products of arrays stay on one thread, as in a server: threads of tests side by side wait for others."""

import pytest

from bylaw.search import blas


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    blas.hold()
