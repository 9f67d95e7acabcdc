"""The settings as a table: their names, types and bounds; and settings made from values by name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from typing import cast, get_type_hints

from bylaw.core.errors import InvalidInput
from bylaw.settings.sections import Settings

PREFIX = "BYLAW_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One setting as the reference page shows it; `flag`, `variable` and `key` are its three names."""

    section: str
    name: str
    default: object
    text: str
    unit: str
    low: int | None
    high: int | None
    type: object

    @property
    def flag(self) -> str:
        """Return the name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Return the name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def key(self) -> str:
        """Return the name in the file."""
        return f"{self.section}.{self.name}"


def known() -> Iterator[Known]:
    """Yield every setting in the order of the reference page; names are unique across sections."""
    for section, kind in get_type_hints(Settings).items():
        hints = get_type_hints(kind)
        for each in cast("tuple[Field[object], ...]", fields(kind)):
            yield Known(
                section=section, name=each.name, default=each.default, type=hints[each.name], **each.metadata
            )


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables under which another process has the same settings, defaults left out."""
    said: dict[str, str] = {}
    for each in known():
        value = getattr(getattr(settings, each.section), each.name)
        if value != each.default:
            said[each.variable] = str(value).lower() if isinstance(value, bool) else str(value)
    return said


def build(**values: object) -> Settings:
    """Return settings with `values` by name over the defaults, already of the right types."""
    sections: dict[str, dict[str, object]] = {}
    for each in known():
        if each.name in values:
            sections.setdefault(each.section, {})[each.name] = values.pop(each.name)
    if values:
        raise InvalidInput(f"There is no setting {next(iter(values))!r}.")
    kinds = cast("Mapping[str, Callable[..., object]]", get_type_hints(Settings))
    make = cast("Callable[..., Settings]", Settings)
    return make(**{section: kinds[section](**found) for section, found in sections.items()})
