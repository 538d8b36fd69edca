"""A member's site over a real server: proved, read, changed, gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from licensing.permissions.models import Reservation
from licensing.permissions.services import sites
from licensing.repertoire.models import Holder
from tests.licensing.parties import organisation
from tests.licensing.site_web import BUT_PRESS, PAGE, PROOF, ROBOTS, TDMREP, member, problems, read, standing

pytestmark = pytest.mark.django_db
Answers = dict[str, tuple[int, dict[str, str], bytes]]


@pytest.fixture
def answers(settings: Any) -> Iterator[Answers]:
    """What the server on loopback answers, by path; it stands for example.com."""
    given: Answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = given.get(self.path, (404, {}, b"nothing here"))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    settings.SITE_ORIGINS = {"example.com": f"http://{address}"}
    settings.OUTBOUND_ALLOW = [address]
    yield given
    server.shutdown()
    server.server_close()


def test_a_site_from_its_proof_to_its_end(answers: Answers) -> None:
    holder = Holder.objects.create(society=organisation("KOLAA", "society"), ref="H-1", name="Kim")
    site = sites.register(actor=member(holder), holder=holder, host="example.com")
    answers[PAGE] = (200, {"Content-Usage": "train-ai=n"}, b"<html><head></head></html>")
    answers[ROBOTS] = (301, {"Location": "/moved.txt"}, b"")
    answers["/moved.txt"] = (200, {}, b"User-agent: GPTBot\nDisallow: /books/\n")
    # Read and shown, but not proved.
    assert standing(read(site)) == [] and site.signals.count() == 2

    answers[PROOF] = (200, {}, site.token.encode())
    read(site)
    assert site.proof == "file"
    assert standing(site) == [("example.com", "", []), ("example.com/books", "/books/", [])]

    # The licence terms change, and the server of the rest is down: what cannot be read stays as it was.
    answers[TDMREP] = (200, {"Content-Type": "application/json"}, BUT_PRESS)
    answers[PAGE] = (503, {}, b"")
    read(site)
    assert problems(site) == [("server_error", 1)]
    assert standing(site) == [
        ("example.com", "", ["/press/"]),
        ("example.com", "", ["/press/"]),
        ("example.com/books", "/books/", []),
    ]

    # Everything is taken down: after the second look the reservations end, and stay on record.
    answers.clear()
    answers[PAGE] = (200, {}, b"")
    assert standing(read(site)) != []
    assert standing(read(site)) == []
    ended = Reservation.objects.all()
    assert ended.count() >= 3 and {each.status for each in ended} <= {"withdrawn", "superseded"}


def test_a_server_that_sends_us_to_a_private_machine_is_not_followed(answers: Answers) -> None:
    holder = Holder.objects.create(society=organisation("KOLAA", "society"), ref="H-1", name="Kim")
    site = sites.register(actor=member(holder), holder=holder, host="example.com")
    answers[PAGE] = (200, {}, b"")
    answers[PROOF] = (302, {"Location": "http://127.0.0.1:1/secret"}, b"")
    answers[TDMREP] = (302, {"Location": "http://169.254.169.254/latest/meta-data"}, b"")
    read(site)
    assert site.proved_at is None
    assert {code for code, _times in problems(site)} == {"refused_address"}
