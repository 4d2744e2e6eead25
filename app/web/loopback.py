"""Whether somebody is on this machine."""

import re
from ipaddress import IPv6Address, ip_address

from starlette.requests import Request

AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z.-]+)(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
FORWARDED = re.compile(r"forwarded|via|x-forwarded-.+|x-real-ip")
"""What a proxy adds. Whoever is behind one may be anywhere."""
OWN_PAGES = ("same-origin", "none")
"""What browsers say in `Sec-Fetch-Site` of requests by a page of ours, and by the person themselves."""


def is_loopback(host: str) -> bool:
    """Only this machine can reach the address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def is_from_here(request: Request) -> bool:
    """The request was made on this machine, straight, under a name of this machine, and by no page of another origin.

    A page of another origin may have its own name point to this machine: then that name is in `Host`.
    """
    hosts = request.headers.getlist("host")
    named = AUTHORITY.fullmatch(hosts[0]) if len(hosts) == 1 else None
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and named is not None
        and is_loopback(named[1].strip("[]"))
        and not any(FORWARDED.fullmatch(name) for name in request.headers)
        and "origin" not in request.headers
        and request.headers.get("sec-fetch-site", "none") in OWN_PAGES
    )
