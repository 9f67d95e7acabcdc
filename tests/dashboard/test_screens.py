"""The page about the screens has each that one can go to; pictures and steps, the tutorial's too, fit."""

import re

import pytest

from tests.dashboard.pictures import FOLDER, SCREENS
from tests.dashboard.tutorial import PAGE, deeds, steps
from tests.dashboard.walking import SHOWN
from tests.docs.pages import ROOT

TEMPLATES = ROOT / "src" / "bylaw" / "dashboard" / "templates"
SAID = SCREENS.read_text("utf-8")
LED_TO = [
    *re.findall(r'{{ place\("(/[\w-]*)"', (TEMPLATES / "parts" / "frame.html").read_text("utf-8")),
    *(
        f"/settings/{each}"
        for each in re.findall(
            r'{{ screen\("([\w-]+)"', (TEMPLATES / "settings" / "frame.html").read_text("utf-8")
        )
    ),
]
TOLD = [each for page in (PAGE, SCREENS) for each in steps(page)]
PICTURES = [each["picture"] for each in TOLD if "picture" in each]
STEPS = [each["step"] for each in TOLD if "step" in each]


@pytest.mark.parametrize("path", LED_TO)
def test_each_screen_of_the_navigation_is_on_the_page(path):
    assert re.search(rf"`{re.escape(path)}[`/]", SAID)


def test_each_screen_is_followed_by_its_picture():
    seen = steps(SCREENS)
    for each, then in zip(seen, [*seen[1:], {}], strict=True):
        if "address" in each:
            assert "picture" in then or "step" in then, each["address"]
    assert len([each for each in seen if "address" in each]) == SAID.count("\n### ")


def test_each_address_is_one_of_a_page():
    paths = {re.sub(r"{\w+(:\w+)?}", "{}", each.path) for each in SHOWN} | {"/r/{}"}
    said = [re.sub(r"{\w+}", "{}", each["address"]) for each in steps(SCREENS) if "address" in each]
    assert [each for each in said if re.split(r"[?#]", each)[0] not in paths] == []


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_carried_out_whole(step):
    marked = r"\*\*.+?\*\*|\*[^*]+\*|`[^`]+`"
    done = " ".join(match[0] for match, _ in deeds(step))
    assert re.findall(marked, done) == re.findall(marked, step) != []


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_is_there_and_small(name):
    assert (FOLDER / name).stat().st_size <= 60_000


def test_every_picture_is_shown_and_all_are_small_together():
    kept = sorted(FOLDER.glob("*.png"))
    assert [each.name for each in kept] == sorted(PICTURES)
    assert sum(each.stat().st_size for each in kept) <= 3_000_000
