"""Which addresses a webhook may have."""

import pytest

from bylaw.core.errors import InvalidInput
from bylaw.notify.address import checked_url, host_of


@pytest.mark.parametrize("outgoing", ["off", "public", "any"])
@pytest.mark.parametrize("url", ["https://hooks.example.com/a?b=c", " https://h.example:8443 "])
def test_https_goes_anywhere(url, outgoing):
    assert checked_url(url, outgoing) == url.strip()


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "[::1]:80", "10.1.2.3", "192.168.0.9"])
def test_http_stays_inside_and_only_where_calls_may_go_inside(host):
    assert checked_url(f"http://{host}/x", "any") == f"http://{host}/x"
    with pytest.raises(InvalidInput, match="BYLAW_OUTGOING=any"):
        checked_url(f"http://{host}/x", "public")


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://a/b", "https://", "https://user:secret@h/x", "https://h/x#y", "https://h/a b",
        "https://h:99999/", "http://example.com/x", "http://8.8.8.8/x",
        "https://h/\u00e4", "https://h/" + "x" * 2_000,
        "http://169.254.169.254/latest/meta-data", "https://h/\nhost: evil", "javascript:alert(1)", "https://[::1/x",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(url):
    with pytest.raises(InvalidInput) as refused:
        checked_url(url, "any")
    assert [each.path for each in refused.value.problems] == ["url"]


def test_what_is_told_of_an_address_leaves_its_path_out():
    assert (
        host_of("https://hooks.example.com:8443/services/T0/secret?token=x")
        == "https://hooks.example.com:8443"
    )
