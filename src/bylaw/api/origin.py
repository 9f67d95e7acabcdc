"""Where a request came from: its peer, or what the reverse proxies in front say about it."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from bylaw.api.incoming import Incoming

# One caller of IPv6 has a whole network of this size.
_OWN_BITS: Final = 64


class Proxies:
    """The reverse proxies whose word is believed: addresses and networks, with commas between."""

    def __init__(self, named: str) -> None:
        self._networks = tuple(ip_network(each.strip()) for each in named.split(",") if each.strip())

    def origin(self, incoming: Incoming) -> str:
        """Return the address that is nearest to the caller of those that are believed, empty for none.

        A caller may write whatever they like into X-Forwarded-For; each proxy appends whom it heard it from.
        So it is read from its end, for as long as the one who says it is a proxy of ours.
        """
        nearest = ""
        for said in _heard(incoming):
            try:
                address = _plain(ip_address(said))
            except ValueError:
                break
            nearest = str(address if isinstance(address, IPv4Address) else _network_of(address))
            if not any(address in network for network in self._networks):
                break
        return nearest


def _heard(incoming: Incoming) -> Iterator[str]:
    """Yield the peer, then what each proxy says, the last one first."""
    yield incoming.peer
    forwarded = incoming.headers.get(b"x-forwarded-for", b"").decode("latin-1")
    yield from (each.strip() for each in reversed(forwarded.split(",")))


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return an address of IPv4 that is written as one of IPv6 as what it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _network_of(address: IPv6Address) -> IPv6Network:
    return IPv6Network((address, _OWN_BITS), strict=False)
