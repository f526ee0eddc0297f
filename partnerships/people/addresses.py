"""Client addresses behind proxies, and the addresses that rate limits count."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

#: Internet providers give each customer a /64, in which the customer can change addresses at will (RFC 6177).
IPV6_PREFIX = 64


def _parse_address(raw_address: str) -> str:
    """Return the address in its shortest form without a port; "" if the address is not valid."""
    raw_address = raw_address.strip()
    if raw_address.startswith("["):
        raw_address = raw_address[1:].partition("]")[0]
    elif raw_address.count(":") == 1:
        raw_address = raw_address.partition(":")[0]
    try:
        address = ipaddress.ip_address(raw_address)
    except ValueError:
        return ""
    ipv4_address = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(ipv4_address or address)


def client_address(request: HttpRequest) -> str:
    """Return the address that the outermost trusted proxy saw; "" if the server gives no address.

    Each proxy adds one entry to X-Forwarded-For, so the trusted entries are counted from the right; entries that the
    visitor sent are further left. A request that came through fewer proxies has fewer entries, all from trusted
    proxies.
    """
    server_address = _parse_address(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    entries = [address for address in request.headers.get("X-Forwarded-For", "").split(",") if address.strip()]
    if not proxies or not entries:
        return server_address
    outermost_trusted = entries[max(0, len(entries) - proxies)]
    return _parse_address(outermost_trusted) or server_address


def counted_address(address: str) -> str:
    """Return the address to count for limits, which is the /64 network of an IPv6 address."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False).network_address)
