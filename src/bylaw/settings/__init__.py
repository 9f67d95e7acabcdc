"""Typed settings, one section per noun, read from flags, `BYLAW_*` variables and one optional TOML file.

A flag wins over a variable, a variable over the file, the file over the default. Nothing is ignored in
silence: an unknown variable, file key or section, and a setting that could have no effect, are refused by
name. The reference page is generated from the text beside each setting (`bylaw settings`).
"""

from bylaw.settings.reading import OTHERS, load
from bylaw.settings.sections import LOOPBACK, Settings, Storage
from bylaw.settings.table import PREFIX, Known, build, environment, known

__all__ = [
    "LOOPBACK",
    "OTHERS",
    "PREFIX",
    "Known",
    "Settings",
    "Storage",
    "build",
    "environment",
    "known",
    "load",
]
