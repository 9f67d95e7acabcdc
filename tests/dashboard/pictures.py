"""Take the pictures of the documentation: `python -m tests.dashboard.pictures`, or `make screenshots`."""

import asyncio
import tempfile
from pathlib import Path

from tests.dashboard.browser import launched
from tests.dashboard.tutorial import PAGE, follow, setting_out

SIZE = {"width": 1120, "height": 720}
FOLDER = PAGE.parent / "screenshots"


async def take() -> None:
    """Take each picture where it stands on the tutorial's page."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with launched() as browser, setting_out(browser, Path(folder)) as walk:
            for page in walk.windows.values():
                await page.set_viewport_size(SIZE)
            await follow(walk, FOLDER)


if __name__ == "__main__":
    asyncio.run(take())
