"""What others wrote and we ship or test with is byte for byte what its version says."""

from hashlib import sha256
from pathlib import Path

import pytest

import bylaw

SHIPPED = Path(bylaw.__file__).parent / "dashboard" / "static" / "vendor"
FOR_TESTS = Path(__file__).parent / "vendor"


def listed(folder: Path) -> dict[str, str]:
    """Return the hash that the folder's list gives for each file."""
    lines = (folder / "VERSIONS").read_text("utf-8").splitlines()
    return {line.split()[0]: line.split()[-1] for line in lines if not line.startswith("#")}


@pytest.mark.parametrize("folder", [SHIPPED, FOR_TESTS], ids=["shipped", "for tests"])
def test_a_vendored_file_is_the_one_that_its_version_names(folder):
    found = {each.name: sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}
    del found["VERSIONS"]
    assert found == listed(folder)


@pytest.mark.parametrize("folder", [SHIPPED, FOR_TESTS], ids=["shipped", "for tests"])
def test_what_is_vendored_comes_with_its_licence(folder):
    assert any(each.name.startswith("LICENSE") for each in folder.iterdir())


def test_what_serves_tests_alone_is_not_shipped():
    assert not list(Path(bylaw.__file__).parent.rglob("axe*"))
