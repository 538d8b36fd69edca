"""Asking an outside address, where somebody else chose the address.

An address in a signal, a webhook or a redirect is hostile until shown otherwise: it may lead to this machine, to its
neighbours, or to a server that never ends its answer. So each hop is resolved here, once; every address that the name
has must be a public one; and the connection goes to the address that was checked, under the name that was asked for.
Time counts from the first look-up to the last byte, and bytes count as sent and as unpacked.

    answer = fetch("https://example.org/robots.txt", limit=512_000, timeout=10)

No proxy of the environment is used: it would resolve names by itself.
"""

from __future__ import annotations

import io
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NoReturn
from urllib.parse import quote, urljoin, urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal

PORTS = {"http": 80, "https": 443}
OPEN_PORTS = frozenset({80, 443, 8080, 8443})
_FOLLOWED = {301, 302, 303, 307, 308}
_LONGEST_URL = 4096
_PIECE = 64 * 1024
_KEPT_ACROSS_ORIGINS = {"accept", "accept-language", "user-agent"}
_OURS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "te", "upgrade", "expect"}
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")

# Public by the tables, and yet ways into private networks or to nobody: relays and notations that carry another address.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in ("192.88.99.0/24", "::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")
)  # fmt: skip
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Response:
    """The last answer: where it came from after redirects, its status, headers (names in lower case), its body."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def fetch(
    url: str,
    *,
    limit: int,
    timeout: float,
    redirects: int = 3,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    cut: bool = False,
) -> Response:
    """Ask this address and return its answer, whatever its status.

    `limit`: bytes of the body, as sent and as unpacked; more is refused, or left off with `cut=True`. `timeout`: seconds
    for everything together. `redirects`: how many to follow; with 0 a redirect is an answer like any other.
    Raises Refusal: `refused_address` (not http or https, a user name, an unusual port, or not a public address),
    `unreachable`, `too_large`, `too_slow`, `too_many_redirects`.
    """
    deadline = _Deadline(timeout)
    sent = {name.lower(): value for name, value in (headers or {}).items() if name.lower() not in _OURS}
    place = _place(url)
    for _hop in range(redirects + 1):
        answer, location = _ask(place, method, body, sent, deadline, limit, cut)
        if not location or not redirects:
            return answer
        before, place = place, _place(urljoin(place.url, location))
        if answer.status not in (307, 308) and method not in ("GET", "HEAD"):
            method, body = "GET", None
        if place.origin != before.origin:
            sent = {name: value for name, value in sent.items() if name in _KEPT_ACROSS_ORIGINS}
    raise Refusal("too_many_redirects", _("%(host)s sends us on too often.") % {"host": place.host})


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


class _Deadline:
    """The moment at which everything must be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            _too_slow()
        return left


@dataclass(frozen=True, slots=True)
class _Place:
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


def _place(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        _refuse_address(_("“%(url)s” is no web address.") % {"url": url[:200]})
    if len(url) > _LONGEST_URL or _UNFIT.search(url) or parts.scheme not in PORTS or not host:
        _refuse_address(_("“%(url)s” is no web address.") % {"url": url[:200]})
    if parts.username is not None or parts.password is not None:
        _refuse_address(_("A web address must not carry a user name or password."))
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._[]|^`{}\"<>")
    path = quote(path, safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]")
    place = _Place(parts.scheme, _ascii(host), PORTS[parts.scheme] if port is None else port, path)
    if place.port not in OPEN_PORTS and not place.allowed:
        _refuse_address(_("Port %(port)s is not open to us. Use the usual ports of the web.") % {"port": place.port})
    return place


def _ascii(host: str) -> str:
    """A name as the network writes it; an address stays as it is."""
    if ":" in host or host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        _refuse_address(_("“%(url)s” is no web address.") % {"url": host[:200]})


def _ask(
    place: _Place,
    method: str,
    body: bytes | None,
    headers: Mapping[str, str],
    deadline: _Deadline,
    limit: int,
    cut: bool,
) -> tuple[Response, str]:
    """One request to one place: its answer, and where it sends us on (empty: nowhere)."""
    connection = HTTPConnection(place.host, place.port)
    wire = _connect(place, deadline)
    connection.sock = wire  # type: ignore[assignment]
    try:
        ours = {"Host": place.authority, "Connection": "close", "Accept-Encoding": "gzip"}
        ours |= {} if "user-agent" in headers else {"User-Agent": f"Jeongsan/1 (+{settings.SITE_URL})"}
        connection.request(method, place.path, body, {**headers, **ours})
        raw = connection.getresponse()
        seen = _headers(raw)
        location = seen.get("location", "") if raw.status in _FOLLOWED else ""
        content = b"" if method == "HEAD" else _body(raw, seen, limit, cut or bool(location))
        return Response(place.url, raw.status, seen, content), location
    except TimeoutError:
        _too_slow()
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        raise Refusal(
            "unreachable",
            _("%(host)s gave no answer that can be read (%(why)s).") % {"host": place.host, "why": _why(error)},
        ) from error
    finally:
        wire.close()


def _headers(raw: HTTPResponse) -> dict[str, str]:
    """Repeated headers are one list (RFC 9110, 5.3)."""
    seen: dict[str, str] = {}
    for name, value in raw.getheaders():
        key = name.lower()
        seen[key] = f"{seen[key]}, {value}" if key in seen else value
    return seen


def _body(raw: HTTPResponse, headers: Mapping[str, str], limit: int, cut: bool) -> bytes:
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise ValueError(f"Content-Encoding: {coding[:40]}")
    if not cut and raw.length is not None and raw.length > limit:
        _too_large(limit)
    sent = _bounded(_pieces(raw), limit, cut)
    return b"".join(_bounded(_unpacked(sent), limit, cut) if coding.endswith("gzip") else sent)


def _pieces(raw: HTTPResponse) -> Iterator[bytes]:
    while piece := raw.read1(_PIECE):
        yield piece
    if raw.length:  # announced and never sent
        raise HTTPException("the answer broke off")


def _bounded(pieces: Iterator[bytes], limit: int, cut: bool) -> Iterator[bytes]:
    left = limit
    for piece in pieces:
        if len(piece) > left:
            if not cut:
                _too_large(limit)
            yield piece[:left]
            return
        left -= len(piece)
        yield piece


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """gzip, member after member, never more than a piece at a time: a bomb is caught by the count of what comes out."""
    unpack = zlib.decompressobj(wbits=31)
    for piece in pieces:
        while piece:
            if unpack.eof:
                unpack = zlib.decompressobj(wbits=31)
            yield unpack.decompress(piece, _PIECE)
            piece = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    if not unpack.eof:
        raise HTTPException("the answer broke off")


def _connect(place: _Place, deadline: _Deadline) -> _Wire:
    """A connection to one of the addresses that were checked, in TLS under the name that was asked for."""
    addresses = _resolve(place, deadline)
    if not place.allowed and not all(is_public(address) for _family, address in addresses):
        _refuse_address(_("%(host)s is not on the public internet.") % {"host": place.host})
    problem: OSError = OSError("no address")
    for tried, (family, address) in enumerate(addresses):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(deadline.left() / (len(addresses) - tried))
            sock.connect((address, place.port))
            if place.scheme == "https":
                sock.settimeout(deadline.left())
                sock = tls_context().wrap_socket(sock, server_hostname=place.host)
            return _Wire(sock, deadline)
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    deadline.left()
    if isinstance(problem, TimeoutError):
        _too_slow()
    raise Refusal(
        "unreachable", _("%(host)s cannot be reached (%(why)s).") % {"host": place.host, "why": _why(problem)}
    ) from problem


def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _resolve(place: _Place, deadline: _Deadline) -> list[tuple[int, str]]:
    """Every address of the name, each once. The system's look-up knows no deadline, so a thread of its own waits for it."""
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(deadline.left())
    deadline.left()
    if not found or isinstance(found[0], Exception):
        raise Refusal("unreachable", _("There is no server of the name %(host)s.") % {"host": place.host})
    return list(dict.fromkeys((family, where[0]) for family, _type, _protocol, _name, where in found))


class _Wire:
    """What `http.client` takes for its socket: every read and write gets what is left of the time, however small."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        while view:
            self._sock.settimeout(self._deadline.left())
            view = view[self._sock.send(view) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))

    def close(self) -> None:
        self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        super().__init__()
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        return self._sock.recv_into(buffer)


def _why(error: Exception) -> str:
    """A word on what went wrong, without anything that the other side could have written."""
    return getattr(error, "strerror", None) or type(error).__name__


def _refuse_address(detail: str) -> NoReturn:
    raise Refusal("refused_address", detail)


def _too_large(limit: int) -> NoReturn:
    raise Refusal("too_large", _("The answer is larger than %(limit)s bytes.") % {"limit": limit})


def _too_slow() -> NoReturn:
    raise Refusal("too_slow", _("The answer took too long."))
