"""Background work outlives what goes wrong in it, and says that once."""

import pytest

from bylaw.api import upkeep
from bylaw.core.errors import Unavailable


@pytest.mark.parametrize(("error", "traced"), [(Unavailable("No room."), False), (KeyError("x"), True)])
async def test_what_the_world_does_is_a_line_and_what_the_code_does_a_trace(caplog, error, traced):
    async def fail():
        raise error

    assert await upkeep._try("notes", fail) is False
    (record,) = caplog.records
    assert record.message == f"notes: {error}"
    assert (record.exc_info is not None) is traced
