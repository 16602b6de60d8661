"""IP addresses: which of them belong to the public internet, and how they may be spelled."""

from __future__ import annotations

import ipaddress
import socket
from typing import TypeAlias

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

#: The only part of IPv6 that is given out for the public internet (IANA IPv6 address space registry). Outside of it lie
#: NAT64, IPv4-compatible and site-local addresses, which lead back into private IPv4 or to the local network.
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
#: What `is_global` lets through, or lets through in some releases of Python only.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # IETF protocol assignments; a cloud's metadata service answers at 192.0.0.192
        "192.88.99.0/24",  # former 6to4 relays (RFC 7526)
        "168.63.129.16/32",  # Azure's platform: public by its number, but it answers a machine from inside its own host
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarks, ORCHID
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def is_public(address: IpAddress) -> bool:
    """Tell whether an address belongs to the public internet and to nothing that is tunnelled elsewhere."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _PUBLIC_IPV6:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


def read_address(host: str) -> IpAddress | None:
    """Read an IP address in any spelling that the system's resolver takes for one; None for a name."""
    if host == "*":
        return ipaddress.IPv6Address(1)  # so glibc reads it: this machine itself
    try:
        # The resolver takes an empty zone too, such as fe80::1%.
        return ipaddress.ip_address(host.partition("%")[0].rstrip("."))
    except ValueError:
        pass
    try:
        # Decimal, octal, hexadecimal and shortened IPv4: getaddrinfo reads them as this does.
        return ipaddress.ip_address(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeError):
        return None
