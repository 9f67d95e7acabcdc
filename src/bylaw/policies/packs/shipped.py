"""The packs that come with Bylaw, to recommend from and to apply."""

from functools import cache
from pathlib import Path
from typing import Final

from bylaw.policies.packs.documents import Document
from bylaw.policies.packs.load import load_folder
from bylaw.policies.packs.model import Pack

FOLDER: Final = Path(__file__).parents[1] / "shipped"
STARTER: Final = "starter"


def shipped_packs() -> tuple[Pack, ...]:
    """Return every shipped pack by name, but for the starter: what it holds is found in the others."""
    return tuple(pack for pack in load_folder(FOLDER).packs if pack.name != STARTER)


@cache
def shipped_documents() -> tuple[Document, ...]:
    """Return the files of every shipped pack; the first call reads them, which takes a moment."""
    return load_folder(FOLDER).documents
