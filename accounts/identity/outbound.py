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
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.identity.addresses import Place, is_public, place_of, refuse_address
from accounts.identity.core import Refusal

_FOLLOWED = {301, 302, 303, 307, 308}
_PIECE = 64 * 1024
_KEPT_ACROSS_ORIGINS = {"accept", "accept-language", "user-agent"}
_OURS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "te", "upgrade", "expect"}


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
    place = place_of(url)
    for _hop in range(redirects + 1):
        request = _Request(method, body, sent, limit, cut, follow=redirects > 0)
        answer, location = _ask(place, request, deadline)
        if not location:
            return answer
        before, place = place, place_of(location, place.url)
        if answer.status not in (307, 308) and method not in ("GET", "HEAD"):
            method, body = "GET", None
            sent.pop("content-type", None)
        if place.origin != before.origin:
            sent = {name: value for name, value in sent.items() if name in _KEPT_ACROSS_ORIGINS}
    raise Refusal("too_many_redirects", _("%(host)s sends us on too often.") % {"host": place.host})


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
class _Request:
    method: str
    body: bytes | None
    headers: Mapping[str, str]
    limit: int
    cut: bool
    follow: bool


class UnreadableAnswer(HTTPException):
    """An answer that ends too early, or in a coding that was not asked for."""


def _ask(place: Place, asked: _Request, deadline: _Deadline) -> tuple[Response, str]:
    """One request to one place: its answer, and where it sends us on (empty: nowhere)."""
    connection = HTTPConnection(place.host, place.port)
    wire = _connect(place, deadline)
    connection.sock = wire
    try:
        ours = {"Host": place.authority, "Connection": "close", "Accept-Encoding": "gzip"}
        ours |= {} if "user-agent" in asked.headers else {"User-Agent": f"Jeongsan/1 (+{settings.SITE_URL})"}
        connection.request(asked.method, place.path, asked.body, {**asked.headers, **ours})
        raw = connection.getresponse()
        seen = _headers(raw)
        location = seen.get("location", "") if asked.follow and raw.status in _FOLLOWED else ""
        content = b"" if location or asked.method == "HEAD" else _body(raw, seen, asked.limit, asked.cut)
        return Response(place.url, raw.status, seen, content), location
    except TimeoutError:
        _too_slow()
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        raise Refusal(
            "unreachable",
            _("%(host)s gave no answer that can be read (%(why)s).") % {"host": place.host, "why": _why(error)},
        ) from error
    finally:
        wire.end()


def _headers(raw: HTTPResponse) -> dict[str, str]:
    """Repeated headers are one list (RFC 9110, 5.3)."""
    seen: dict[str, str] = {}
    for name, value in raw.getheaders():
        key, text = name.lower(), _text(value)
        seen[key] = f"{seen[key]}, {text}" if key in seen else text
    return seen


def _text(value: str) -> str:
    """A header's bytes came as Latin-1; most who write more than ASCII mean UTF-8."""
    try:
        return value.encode("latin-1").decode().strip()
    except ValueError:
        return value.strip()


def _body(raw: HTTPResponse, headers: Mapping[str, str], limit: int, cut: bool) -> bytes:
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise UnreadableAnswer(coding[:40])
    if not cut and raw.length is not None and raw.length > limit:
        _too_large(limit)
    sent = _bounded(_pieces(raw), limit, cut)
    return b"".join(_bounded(_unpacked(sent, cut), limit, cut) if coding.endswith("gzip") else sent)


def _pieces(raw: HTTPResponse) -> Iterator[bytes]:
    while piece := raw.read1(_PIECE):
        yield piece
    if raw.length:  # announced and never sent
        raise UnreadableAnswer


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


def _unpacked(pieces: Iterator[bytes], cut: bool) -> Iterator[bytes]:
    """gzip, member after member, never more than a piece at a time: a bomb is caught by the count of what comes out."""
    unpack, begun = zlib.decompressobj(wbits=31), False
    for piece in pieces:
        begun = True
        while True:
            if unpack.eof:
                if not piece.startswith(b"\x1f"):
                    return  # padding after the end
                unpack = zlib.decompressobj(wbits=31)
            out = unpack.decompress(piece, _PIECE)
            yield out
            piece = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
            if not piece and len(out) < _PIECE:
                break
    if begun and not unpack.eof and not cut:
        raise UnreadableAnswer


def _connect(place: Place, deadline: _Deadline) -> _Wire:
    """A connection to one of the addresses that were checked, in TLS under the name that was asked for."""
    addresses = _resolve(place, deadline)
    if not place.allowed and not all(is_public(address) for _family, address in addresses):
        refuse_address(_("%(host)s is not on the public internet.") % {"host": place.host})
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


def _resolve(place: Place, deadline: _Deadline) -> list[tuple[int, str]]:
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
        """`http.client` lets go of the socket as soon as it reads the answer from its file; `end` closes it."""

    def end(self) -> None:
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


def _too_large(limit: int) -> NoReturn:
    raise Refusal("too_large", _("The answer is larger than %(limit)s bytes.") % {"limit": limit})


def _too_slow() -> NoReturn:
    raise Refusal("too_slow", _("The answer took too long."))
