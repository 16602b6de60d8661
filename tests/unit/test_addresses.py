from __future__ import annotations

import ipaddress

import pytest

from idphoto.addresses import is_public, read_address
from tests.hostile_addresses import ADDRESSES, PUBLIC_ADDRESSES


def test_the_table_is_long_and_holds_nothing_twice() -> None:
    assert len(set(ADDRESSES)) == len(ADDRESSES) >= 60


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_not_of_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_its_neighbours_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("spelling", "address"),
    [("127.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("::1%", "::1"), ("*", "::1"), ("photo.example", None)],
)
def test_an_address_is_read_as_the_resolver_reads_it(spelling: str, address: str | None) -> None:
    assert read_address(spelling) == (None if address is None else ipaddress.ip_address(address))
