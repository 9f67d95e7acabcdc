import pytest

from bylaw import settings
from bylaw.app import build
from bylaw.core.errors import Unavailable


async def test_every_file_in_a_data_directory_that_others_can_enter_is_for_its_owner_alone(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    async with build(settings.build(data=data)):
        modes = {file.name: file.stat().st_mode & 0o077 for file in data.iterdir()}
    assert {"control.db", "control.db-wal", "receipts.db", "receipts.db-wal", "keys.json"} <= set(modes)
    assert not any(modes.values()), modes


async def test_a_data_directory_that_cannot_be_one_is_said_to_be_none(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be the data directory: File exists"):
        async with build(settings.build(data=tmp_path / "data")):
            pass
