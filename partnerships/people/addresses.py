"""Client addresses behind proxies, and what rate limits count."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

#: Providers give each customer a /64, whose single addresses can be changed at will (RFC 6177).
IPV6_PREFIX = 64


def _parsed(text: str) -> str:
    """Return the address in its shortest form without a port; empty if invalid."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def client_address(request: HttpRequest) -> str:
    """Return the address that the outermost trusted proxy saw.

    Each proxy adds one entry to X-Forwarded-For, so the trusted ones are counted from the right; entries that the
    visitor sent are further left. A request that came through fewer proxies has fewer entries, all from trusted
    proxies. Empty when the server gives no address.
    """
    direct = _parsed(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    entries = [address for address in request.headers.get("X-Forwarded-For", "").split(",") if address.strip()]
    if not proxies or not entries:
        return direct
    return _parsed(entries[max(0, len(entries) - proxies)]) or direct


def counted_address(address: str) -> str:
    """Return what limits count as one address: an IPv4 address or an IPv6 /64."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False).network_address)
