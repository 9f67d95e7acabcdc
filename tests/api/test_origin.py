import pytest

from bylaw.api.incoming import Incoming
from bylaw.api.origin import Proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", b"", "203.0.113.9"),
        ("203.0.113.9", b"198.51.100.1", "203.0.113.9"),  # anybody may say so
        ("127.0.0.1", b"", "127.0.0.1"),
        ("127.0.0.1", b"198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", b"1.1.1.1, 198.51.100.1", "198.51.100.1"),  # what the caller wrote stands in front
        ("127.0.0.1", b"1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("127.0.0.1", b"10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("127.0.0.1", b"nonsense, 10.2.3.4", "10.2.3.4"),
        ("127.0.0.1", b"\xff", "127.0.0.1"),
        ("2001:db8:1:2:3::4", b"", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", b"", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", b"", "fe80::/64"),
        ("::ffff:203.0.113.9", b"", "203.0.113.9"),
        ("::ffff:127.0.0.1", b"198.51.100.1", "198.51.100.1"),
        ("", b"198.51.100.1", ""),
    ],
)
def test_only_a_proxy_of_ours_is_believed(peer, forwarded, expected):
    headers = {b"x-forwarded-for": forwarded} if forwarded else {}
    incoming = Incoming(id="r", method="GET", path="/", headers=headers, peer=peer)
    assert Proxies("127.0.0.1, 10.0.0.0/8").origin(incoming) == expected


def test_where_no_proxy_is_named_the_peer_is_the_caller():
    headers = {b"x-forwarded-for": b"198.51.100.1"}
    incoming = Incoming(id="r", method="GET", path="/", headers=headers, peer="127.0.0.1")
    assert Proxies("").origin(incoming) == "127.0.0.1"
