"""Outside addresses: only public machines are asked, only as much as fits is read, and never for longer than said."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings as configured
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity import outbound
from accounts.identity.addresses import is_public, place_of
from accounts.identity.core import Refusal
from accounts.identity.outbound import Response, fetch
from tests.accounts.loopback import Asked, Server, answer, says, serving


def _fetch(server: Server, settings: Any, path: str = "/", **options: Any) -> Response:
    settings.OUTBOUND_ALLOW = [server.place]
    return fetch(server.url(path), **{"limit": 10_000, "timeout": 5.0, **options})


def _refused(code: str, url: str, **options: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        fetch(url, **{"limit": 10_000, "timeout": 5.0, **options})
    assert refusal.value.code == code, refusal.value
    return refusal.value


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.0.9", "192.0.2.1", "198.18.0.1", "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1",
        "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd12::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "3fff::1",
        "", "localhost", "8.8.8", "0x7f.1",
    ],
)  # fmt: skip
def test_what_is_not_one_public_machine_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "211.231.99.17", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_machines_may_be_asked(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_no_notation_in_ipv6_opens_a_private_address(address: Any) -> None:
    if not is_public(str(address)):
        for prefix in ("::ffff:", "::", "64:ff9b::"):
            assert not is_public(f"{prefix}{address}")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "gopher://example.org/_x", "ftp://example.org/", "javascript:alert(1)", "//example.org/", "example.org",
        "", "http://", "http:///x", "http://user@example.org/", "http://user:pass@example.org/", "http://:@example.org/",
        "http://example.org:22/", "http://example.org:25/", "http://example.org:0/", "http://example.org:99999/",
        "http://example.org:abc/", "http://exa mple.org/", "http://example.org\\@127.0.0.1/", "http://example.org/\r\nX: y",
        "http://example.org/\x00", "http://[::1", "http://[fe80::1%25lo]/", "http://exam<ple.org/", "http://☃☃\ud800.org/",
        "http://example.org/" + "x" * 5000, "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
        "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://0.0.0.0/", "http://169.254.169.254/",
        "https://10.0.0.1/", "http://localhost/", "HTTP://LOCALHOST:8080/",
    ],
)  # fmt: skip
def test_addresses_that_are_never_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before a connection is made: whichever socket is opened would fail the test."""

    def connect(self: Any, where: Any) -> None:
        raise AssertionError(f"connected to {where}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", _only_numbers_and_localhost(socket.getaddrinfo))
    _refused("refused_address", url)


def _only_numbers_and_localhost(real: Any) -> Any:
    def look_up(host: str, port: Any, **options: Any) -> Any:
        if host == "localhost":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        return real(host, port, flags=socket.AI_NUMERICHOST, **options)

    return look_up


def test_it_says_who_it_is_and_reads_the_answer(settings: Any) -> None:
    with serving(says(answer(body="안녕".encode(), headers={"X-One": "1", "x-one": "2"}))) as server:
        got = _fetch(server, settings, "/b/책?q=책", headers={"Accept": "text/html", "Host": "evil"})
    assert (got.status, got.body.decode(), got.headers["x-one"]) == (200, "안녕", "1, 2")
    asked = server.asked[0]
    assert asked.line == "GET /b/%EC%B1%85?q=%EC%B1%85 HTTP/1.1"
    assert asked.headers["host"] == server.place
    assert asked.headers["accept"] == "text/html"
    assert configured.SITE_URL in asked.headers["user-agent"]


def test_a_body_is_posted_and_any_status_is_an_answer(settings: Any) -> None:
    with serving(says(answer("503 Later", b"busy"))) as server:
        got = _fetch(server, settings, method="POST", body=b'{"a":1}', headers={"Content-Type": "application/json"})
    assert (got.status, got.body) == (503, b"busy")
    assert (server.asked[0].line, server.asked[0].body) == ("POST / HTTP/1.1", b'{"a":1}')


def test_a_name_that_leads_home_is_refused_although_something_listens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a name whose address is loopback; when it is asked; then nobody connects."""
    with serving(says(answer())) as server:
        monkeypatch.setattr("accounts.identity.addresses.OPEN_PORTS", {server.port})
        _refused("refused_address", f"http://localhost:{server.port}/")
        assert server.asked == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(says(answer())) as server:
        _names(monkeypatch, server, "8.8.8.8", "127.0.0.1")
        _refused("refused_address", f"http://mixed.test:{server.port}/")


def _names(monkeypatch: pytest.MonkeyPatch, server: Server, *addresses: str) -> list[str]:
    """From here on every name has these addresses, and the server's port is one of the web's; returns what was asked."""
    looked_up: list[str] = []

    def look_up(host: str, port: int, **_options: Any) -> Any:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr("accounts.identity.addresses.OPEN_PORTS", {server.port})
    return looked_up


def test_the_address_that_was_checked_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look-up could answer differently: there is none, and the server hears the name that was asked for."""
    monkeypatch.setattr(outbound, "is_public", lambda address: address == "127.0.0.1")
    with serving(says(answer(body=b"here"))) as server:
        looked_up = _names(monkeypatch, server, "127.0.0.1")
        assert fetch(f"http://Books.Test:{server.port}/", limit=100, timeout=30).body == b"here"
    assert looked_up == ["books.test"]
    assert server.asked[0].headers["host"] == f"books.test:{server.port}"


def test_a_dead_address_of_a_name_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "is_public", lambda address: True)
    with serving(says(answer(body=b"here"))) as server:
        _names(monkeypatch, server, "127.0.0.9", "127.0.0.1")
        assert fetch(f"http://two.test:{server.port}/", limit=100, timeout=30).body == b"here"


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_where: Any, **_options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    _refused("unreachable", "https://nowhere.test/")


def test_a_look_up_that_hangs_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_where, **_options: over.wait(30) and [])
    _refused("too_slow", "https://slow.test/", timeout=0.2)  # one that waited for the answer would say what it was
    over.set()


def test_tls_is_spoken_under_the_name_and_a_strangers_certificate_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = _certificate(tmp_path, "books.test")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    names: list[str] = []
    theirs.sni_callback = lambda _socket, name, _context: names.append(name)
    monkeypatch.setattr(outbound, "is_public", lambda address: True)
    with serving(says(answer(body=b"safe")), tls=theirs) as server:
        _names(monkeypatch, server, "127.0.0.1")
        _refused("unreachable", f"https://books.test:{server.port}/")  # signed by nobody whom we trust
        monkeypatch.setattr(outbound, "tls_context", lambda: ssl.create_default_context(cafile=str(certificate)))
        assert fetch(f"https://books.test:{server.port}/", limit=100, timeout=30).body == b"safe"
        _refused("unreachable", f"https://other.test:{server.port}/")  # another's certificate
    assert names == ["books.test", "books.test", "other.test"]


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, True, False, False, False), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_addresses_in_ipv6_are_written_as_the_web_writes_them() -> None:
    place = place_of("http://[2606:4700::1111]:8080/x")
    assert (place.host, place.port, place.authority) == ("2606:4700::1111", 8080, "[2606:4700::1111]:8080")
    assert outbound._resolve(place, outbound._Deadline(5)) == [(socket.AF_INET6, "2606:4700::1111")]


# Redirects


def _to(location: str, status: str = "302 Found") -> bytes:
    return answer(status, headers={"Location": location})


def test_redirects_are_followed_and_the_last_address_is_told(settings: Any) -> None:
    def script(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(_to("../new?a=1#part") if asked.path == "/old/x" else answer(body=b"moved"))

    with serving(script) as server:
        got = _fetch(server, settings, "/old/x")
        assert (got.body, got.url) == (b"moved", server.url("/new?a=1"))


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{other}/", "http://localhost:{other}/", "http://[::1]/", "http://169.254.169.254/latest/",
        "file:///etc/passwd", "gopher://127.0.0.1/", "//10.0.0.1/", "http://me@127.0.0.1:{port}/", "http://[", "http://x:y",
    ],
)  # fmt: skip
def test_a_redirect_into_the_house_is_refused(location: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hop is allowed by name and port; where it sends us is judged anew."""
    with serving(says(answer(body=b"secret"))) as inner:
        monkeypatch.setattr("accounts.identity.addresses.OPEN_PORTS", {80, 443, inner.port})
        with serving(
            lambda connection, asked: connection.sendall(_to(location.format(other=inner.port, port=outer.port)))
        ) as outer:
            settings.OUTBOUND_ALLOW = [outer.place]
            _refused("refused_address", outer.url())
        assert inner.asked == []


def test_a_loop_ends(settings: Any) -> None:
    with serving(says(_to("/"))) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        _refused("too_many_redirects", server.url(), redirects=2)
        assert len(server.asked) == 3


def test_with_none_to_follow_a_redirect_is_an_answer(settings: Any) -> None:
    with serving(says(_to("http://10.0.0.1/"))) as server:
        got = _fetch(server, settings, redirects=0)
    assert (got.status, got.headers["location"]) == (302, "http://10.0.0.1/")


@pytest.mark.parametrize("status, method, body", [("303 See Other", "GET", b""), ("307 Again", "POST", b"x")])
def test_what_is_sent_again(status: str, method: str, body: bytes, settings: Any) -> None:
    def script(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(_to("/two", status) if asked.path == "/" else answer())

    with serving(script) as server:
        _fetch(server, settings, method="POST", body=b"x")
    assert (server.asked[1].line.split()[0], server.asked[1].body) == (method, body)


def test_a_callers_headers_do_not_follow_to_another_server(settings: Any) -> None:
    with serving(says(answer())) as second, serving(says(_to(second.url()))) as first:
        settings.OUTBOUND_ALLOW = [first.place, second.place]
        fetch(first.url(), limit=10, timeout=30, headers={"Authorization": "Bearer x", "Accept": "text/plain"})
    assert first.asked[0].headers["authorization"] == "Bearer x"
    assert "authorization" not in second.asked[0].headers
    assert second.asked[0].headers["accept"] == "text/plain"


# How much, and how long


def _endless(connection: socket.socket, asked: Asked) -> None:
    connection.sendall(answer(length=False))
    while True:
        connection.sendall(b"x" * 65_536)


def _chunks(connection: socket.socket, asked: Asked) -> None:
    connection.sendall(answer(headers={"Transfer-Encoding": "chunked"}, length=False))
    while True:
        connection.sendall(b"5\r\nxxxxx\r\n" * 1000)


BOMB = gzip.compress(bytes(50_000_000))
PACKED = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    "script",
    [
        _endless, _chunks, says(answer(body=b"x" * 10_001)), says(answer(body=b"x" * 10_001, length=False)),
        says(answer(headers={"Content-Length": "99999999999"}, length=False)),
        says(answer(body=gzip.compress(b"x" * 10_001, mtime=0), headers=PACKED)),
    ],
)  # fmt: skip
def test_more_than_the_limit_is_refused(script: Any, settings: Any) -> None:
    with serving(script) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        _refused("too_large", server.url())


def test_a_bomb_is_refused_while_it_unfolds(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """50 MB of nothing in 50 kB: no more of it is unpacked than fits, and one piece."""
    unpacked = []
    bounded = outbound._bounded
    monkeypatch.setattr(
        outbound,
        "_bounded",
        lambda pieces, limit, cut: bounded((unpacked.append(len(p)) or p for p in pieces), limit, cut),
    )
    with serving(says(answer(body=BOMB, headers=PACKED))) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        _refused("too_large", server.url(), limit=100_000)
    assert sum(unpacked) < 500_000


def test_what_fits_exactly_is_read_whole(settings: Any) -> None:
    with serving(says(answer(body=b"x" * 10_000))) as server:
        assert len(_fetch(server, settings).body) == 10_000


@given(st.binary(max_size=300), st.integers(1, 300))
def test_packed_or_not_the_same_comes_out(body: bytes, at: int) -> None:
    packed = gzip.compress(body[:at], mtime=0) + gzip.compress(body[at:]) + b"\x00" * 3
    pieces = [packed[place : place + at] for place in range(0, len(packed), at)]
    assert b"".join(outbound._unpacked(iter(pieces), False)) == body


@pytest.mark.parametrize("script", [_endless, _chunks, says(answer(body=BOMB, headers=PACKED))])
def test_who_only_wants_the_beginning_gets_it(script: Any, settings: Any) -> None:
    with serving(script) as server:
        assert len(_fetch(server, settings, cut=True).body) == 10_000


def _dripping(head: bytes, drop: bytes) -> Any:
    def script(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(drop)
            time.sleep(0.05)

    return script


@pytest.mark.parametrize(
    "script",
    [
        _dripping(answer(headers={"Content-Length": "5000"}, length=False), b"x"),
        _dripping(answer(headers={"Transfer-Encoding": "chunked"}, length=False), b"1\r\nx\r\n"),
        _dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        _dripping(b"HTTP/1.1 200", b" "),
        _dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        lambda connection, asked: time.sleep(3),
    ],
)
def test_who_answers_drop_by_drop_is_left_in_time(script: Any, settings: Any) -> None:
    """Each drop comes well before any pause would be noticed: only the whole time counts."""
    with serving(script) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        _refused("too_slow", server.url(), timeout=0.3)  # none of them ends by itself before its sender gives up


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        answer(body=b"not gzip", headers=PACKED), answer(body=gzip.compress(b"x" * 99, mtime=0)[:-9], headers=PACKED),
        answer(body=b"x", headers={"Content-Encoding": "br"}),
    ],
)  # fmt: skip
def test_what_is_no_answer(raw: bytes, settings: Any) -> None:
    with serving(says(raw)) as server:
        settings.OUTBOUND_ALLOW = [server.place]
        _refused("unreachable", server.url())


def test_nobody_listens(settings: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
        settings.OUTBOUND_ALLOW = [place]
        _refused("unreachable", f"http://{place}/")


def test_a_head_has_no_body(settings: Any) -> None:
    with serving(says(answer(headers={"Content-Length": "99999999"}, length=False))) as server:
        assert _fetch(server, settings, method="HEAD").body == b""


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.org/{text}"):
        for base in ("", "https://example.org/a"):
            with contextlib.suppress(Refusal):
                place = place_of(url, base)
                assert place.url.isascii() and " " not in place.url
                assert place_of(place.url) == place
