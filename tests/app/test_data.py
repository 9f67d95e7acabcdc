import pytest

from bylaw import settings
from bylaw.app import build
from bylaw.core.errors import InvalidInput, Unavailable


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


async def test_a_key_file_that_cannot_be_one_is_said_to_be_none(tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(Unavailable, match=r"BYLAW_KEY_FILE.* cannot be the file of the signing keys"):
        async with build(settings.build(data=tmp_path / "data", key_file=str(tmp_path / "file" / "keys"))):
            pass


async def test_a_first_key_that_is_none_is_refused_by_the_name_of_its_variable_and_not_repeated(tmp_path):
    with pytest.raises(InvalidInput, match="BYLAW_ADMIN_KEY cannot be registered") as refused:
        async with build(settings.build(data=tmp_path / "data", admin_key="tooshort")):
            pass
    assert "tooshort" not in refused.value.message
