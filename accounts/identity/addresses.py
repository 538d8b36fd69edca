"""Web addresses that somebody else wrote: which of them we understand, and which machines belong to the public internet."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, urljoin, urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal

PORTS = {"http": 80, "https": 443}
OPEN_PORTS = frozenset({80, 443, 8080, 8443})
_LONGEST_URL = 4096
_NAME = re.compile(r"[a-z0-9._-]{1,253}")
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")

# Public by the tables, and yet ways into private networks or to nobody: relays and notations that carry another address.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
    )
)  # fmt: skip
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Place:
    """An address in its parts, as we understood it: nothing else reads the text again."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def allowed(self) -> bool:
        """Whether the settings let this one be private: tests and development."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" in settings.OUTBOUND_ALLOW


def place_of(text: str, base: str = "") -> Place:
    """The place that this text names, seen from `base`. Raises Refusal `refused_address` for what we do not ask."""
    url = text
    try:
        url = urljoin(base, text.strip()) if base else text
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        refuse_address(_("“%(url)s” is no web address.") % {"url": url[:200]})
    if len(url) > _LONGEST_URL or _UNFIT.search(url) or parts.scheme not in PORTS or not host:
        refuse_address(_("“%(url)s” is no web address.") % {"url": url[:200]})
    if parts.username is not None or parts.password is not None:
        refuse_address(_("A web address must not carry a user name or password."))
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~", errors="replace")
    if parts.query:
        path += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~[]", errors="replace")
    place = Place(parts.scheme, _ascii(host), PORTS[parts.scheme] if port is None else port, path)
    if place.port not in OPEN_PORTS and not place.allowed:
        refuse_address(_("Port %(port)s is not open to us. Use the usual ports of the web.") % {"port": place.port})
    return place


def _ascii(host: str) -> str:
    """A name as the network writes it; an address stays as it is."""
    if ":" in host and "%" not in host:
        return host
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        name = ""
    if not _NAME.fullmatch(name):  # a zone (`fe80::1%eth0`) is no name either
        refuse_address(_("“%(url)s” is no web address.") % {"url": host[:200]})
    return name


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, and to one machine in it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False  # with a zone (`fe80::1%eth0`) it is this machine's neighbour
    if isinstance(ip, ipaddress.IPv6Address) and ip in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
    return (
        ip.is_global
        and not (ip.is_multicast or ip.is_reserved or ip.is_private or ip.is_link_local or ip.is_unspecified)
        and not any(ip in network for network in _NEVER if network.version == ip.version)
        and getattr(ip, "ipv4_mapped", None) is None
    )


def refuse_address(detail: str) -> NoReturn:
    raise Refusal("refused_address", detail)
