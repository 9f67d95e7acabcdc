"""The values of the language that JSON does not have, and the names of all types.

JSON values are Python's own, by exact type: `bool`, `int`, `float`, `str`, `None`, `list`, `dict`;
`bytes` comes from literals and functions. The classes here have no operators on purpose: an ordering or
sum that the language does not define must not work by accident.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Final

from typing_extensions import override

INT_MAX: Final = 2**63 - 1
INT_MIN: Final = -(2**63)
UINT_MAX: Final = 2**64 - 1


class UInt(int):
    """An unsigned integer of 64 bits; equal to the `int` of the same number."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return f"UInt({int(self)})"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment, as nanoseconds since 1970-01-01T00:00:00Z."""

    ns: int


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time in nanoseconds."""

    ns: int


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a value, by its CEL name (`int`, `string`, `google.protobuf.Timestamp`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent: `present` says whether `value` counts."""

    value: object = None
    present: bool = True


@dataclass(frozen=True, slots=True)
class IP:
    """An IPv4 or IPv6 address; an IPv4 address mapped into IPv6 equals its IPv4 form."""

    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class CIDR:
    """An address with the length of its network prefix."""

    interface: IPv4Interface | IPv6Interface


NOTHING: Final = Optional(None, present=False)

TYPE_NAME: Final[dict[type, str]] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    Type: "type",
    Optional: "optional_type",
    IP: "net.IP",
    CIDR: "net.CIDR",
}


def type_name(value: object) -> str:
    """Return the language's name for the type of `value`; a foreign object has the type `object`."""
    return TYPE_NAME.get(type(value), "object")


@dataclass(frozen=True, slots=True)
class BoolKey:
    """A boolean as the key of a map: Python's `True` would be the same key as `1`."""

    value: bool


TRUE_KEY: Final = BoolKey(value=True)
FALSE_KEY: Final = BoolKey(value=False)


def from_key(key: object) -> object:
    """Return the value that the internal map key `key` stands for."""
    return key.value if type(key) is BoolKey else key
