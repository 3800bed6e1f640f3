"""Where clients are."""

from __future__ import annotations

import pytest
from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress

from rotoclear.api.address import host


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (IPv4Address("TCP", "192.0.2.1", 1), "192.0.2.1"),
        (IPv6Address("TCP", "2001:db8::1", 1), "2001:db8::1"),
        (IPv6Address("TCP", "::ffff:192.0.2.1", 1), "192.0.2.1"),
        (IPv6Address("TCP", "::ffff:0:1", 1), "::ffff:0:1"),
        (UNIXAddress(b"/run/s"), "local"),
        (HostnameAddress(b"x", 1), "local"),
        (None, "local"),
    ],
)
def test_host(address: object, expected: str) -> None:
    assert host(address) == expected
