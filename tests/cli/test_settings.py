"""`bylaw settings` lists every setting by all its names."""

import pytest

from bylaw.settings import known


@pytest.mark.parametrize("setting", list(known()), ids=lambda setting: setting.name)
def test_every_setting_is_listed_with_its_names_and_what_it_does(run, setting):
    code, out, _ = run("settings")
    assert code == 0
    (listed,) = [
        (line, text)
        for line, text in zip(*[iter(out.splitlines())] * 2, strict=True)
        if line.startswith(f"{setting.variable}  ")
    ]
    assert f"(file: {setting.key}, default: " in listed[0]
    assert setting.text in listed[1]


def test_defaults_and_bounds_are_shown(run):
    lines = run("settings")[1].splitlines()
    shown = {line.split()[0]: line + text for line, text in zip(lines[::2], lines[1::2], strict=True)}
    assert "default: none)" in shown["BYLAW_DATABASE"]
    assert "default: false)" in shown["BYLAW_EXPOSE"]
    assert "default: 10 s)" in shown["BYLAW_ANCHOR_S"]
    assert shown["BYLAW_ANCHOR_S"].endswith(" Values: from 1 to 30.")
    assert shown["BYLAW_FOLLOW_MS"].endswith(" Values: from 10.")
