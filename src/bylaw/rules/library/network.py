"""The network extension: addresses (`ip`) and address ranges (`cidr`)."""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Final

from bylaw.rules.budget import Budget
from bylaw.rules.library.function import Function, function, method
from bylaw.rules.values import CIDR, IP
from bylaw.rules.verdict import Failure

_ADDRESS: Final = re.compile(r"[0-9.]{7,15}|[0-9a-fA-F:]{2,39}", re.ASCII)
_PREFIX: Final = re.compile(r"[0-9]{1,3}", re.ASCII)


@lru_cache(maxsize=1_024)
def parse_ip(text: str) -> IP:
    """Return the address; no zone, no dotted part in IPv6. Callers pass at most 64 characters."""
    if _ADDRESS.fullmatch(text):
        try:
            return IP(ip_address(text))
        except ValueError:
            pass
    raise Failure("invalid_argument", "the text is not an IP address")


@lru_cache(maxsize=1_024)
def parse_cidr(text: str) -> CIDR:
    """Return the range that `text`, such as `10.0.0.0/8`, names. Callers pass at most 64 characters."""
    address, slash, prefix = text.partition("/")
    if slash and _ADDRESS.fullmatch(address) and _PREFIX.fullmatch(prefix):
        try:
            return CIDR(ip_interface(text))
        except ValueError:
            pass
    raise Failure("invalid_argument", "the text is not an address range such as 10.0.0.0/8")


def _short(text: str) -> str:
    if len(text) > 64:
        raise Failure("invalid_argument", "the text is too long for an address")
    return text


def _ip(_: Budget, text: str) -> IP:
    return parse_ip(_short(text))


def _cidr(_: Budget, text: str) -> CIDR:
    return parse_cidr(_short(text))


def _is_ip(_: Budget, text: str) -> bool:
    return _parses(parse_ip, text)


def _is_cidr(_: Budget, text: str) -> bool:
    return _parses(parse_cidr, text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(_short(text))
    except Failure:
        return False
    return True


def _is_canonical(_: Budget, text: str) -> bool:
    return ip_text(parse_ip(_short(text))) == text


def ip_text(ip: IP) -> str:
    """Return the canonical text of an address."""
    return str(ip.address)


def cidr_text(cidr: CIDR) -> str:
    """Return the canonical text of a range, with the address it was made from."""
    return f"{cidr.interface.ip}/{cidr.interface.network.prefixlen}"


def _is_global_unicast(_: Budget, ip: IP) -> bool:
    """Return whether the address is neither unspecified, loopback, multicast, link-local nor broadcast."""
    address = ip.address
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not (special or address == IPv4Address("255.255.255.255"))


def _is_link_local_multicast(_: Budget, ip: IP) -> bool:
    address = ip.address
    if isinstance(address, IPv4Address):
        return address.packed[:3] == b"\xe0\x00\x00"
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


def _comparable(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _contains_ip(_: Budget, cidr: CIDR, ip: IP) -> bool:
    return _comparable(ip.address) in cidr.interface.network


def _contains_ip_text(budget: Budget, cidr: CIDR, text: str) -> bool:
    return _contains_ip(budget, cidr, parse_ip(_short(text)))


def _contains_cidr(_: Budget, cidr: CIDR, other: CIDR) -> bool:
    outer, inner = cidr.interface.network, other.interface.network
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and inner.network_address in outer
    )


def _contains_cidr_text(budget: Budget, cidr: CIDR, text: str) -> bool:
    return _contains_cidr(budget, cidr, parse_cidr(_short(text)))


def _masked(_: Budget, cidr: CIDR) -> CIDR:
    return CIDR(ip_interface(str(cidr.interface.network)))


FUNCTIONS: Final[tuple[Function, ...]] = (
    function("ip", (str,), IP, _ip),
    function("ip", (IP,), IP, lambda _, ip: ip),
    function("isIP", (str,), bool, _is_ip),
    function("ip.isCanonical", (str,), bool, _is_canonical),
    function("cidr", (str,), CIDR, _cidr),
    function("cidr", (CIDR,), CIDR, lambda _, cidr: cidr),
    function("isCIDR", (str,), bool, _is_cidr),
    method("family", (IP,), int, lambda _, ip: ip.address.version),
    method("isUnspecified", (IP,), bool, lambda _, ip: ip.address.is_unspecified),
    method("isLoopback", (IP,), bool, lambda _, ip: ip.address.is_loopback),
    method("isGlobalUnicast", (IP,), bool, _is_global_unicast),
    method("isLinkLocalMulticast", (IP,), bool, _is_link_local_multicast),
    method("isLinkLocalUnicast", (IP,), bool, lambda _, ip: ip.address.is_link_local),
    method("containsIP", (CIDR, IP), bool, _contains_ip),
    method("containsIP", (CIDR, str), bool, _contains_ip_text),
    method("containsCIDR", (CIDR, CIDR), bool, _contains_cidr),
    method("containsCIDR", (CIDR, str), bool, _contains_cidr_text),
    method("ip", (CIDR,), IP, lambda _, cidr: IP(cidr.interface.ip)),
    method("masked", (CIDR,), CIDR, _masked),
    method(
        "isMask", (CIDR,), bool, lambda _, cidr: cidr.interface.ip == cidr.interface.network.network_address
    ),
    method("prefixLength", (CIDR,), int, lambda _, cidr: cidr.interface.network.prefixlen),
)
