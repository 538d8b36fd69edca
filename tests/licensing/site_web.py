"""A web for tests of sites: answers by address, given as bytes; and actors who have sites."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from accounts.identity.core import Actor, Refusal
from accounts.identity.outbound import Response
from licensing.permissions.models import FoundSignal, Reservation, Site
from licensing.permissions.services import fetching, sites
from licensing.repertoire.models import Holder

ROBOTS, TDMREP, PAGE, PROOF = "/robots.txt", "/.well-known/tdmrep.json", "/", "/.well-known/jeongsan-proof.txt"
ALL = b'[{"location": "/", "tdm-reservation": 1}]'
BUT_PRESS = b'[{"location": "/press/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]'
NOTHING = b'[{"location": "/", "tdm-reservation": 0}]'


@dataclass
class Web:
    """What the outside answers: a body, (status, headers, body), or a code with which fetching is refused."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, where: str, answer: Any, host: str = "example.com") -> None:
        self.answers[f"https://{host}{where}"] = answer

    def drop(self, where: str, host: str = "example.com") -> None:
        self.answers.pop(f"https://{host}{where}", None)

    def fetch(self, url: str, **_how: Any) -> Response:
        self.asked.append(url)
        answer = self.answers.get(url, (404, {}, b""))
        if isinstance(answer, str):
            raise Refusal(answer, "")
        if isinstance(answer, Response):
            return answer
        status, headers, body = (200, {}, answer) if isinstance(answer, bytes) else answer
        return Response(url, status, headers, body)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    made = Web()
    monkeypatch.setattr(fetching.outbound, "fetch", made.fetch)
    made.put(PAGE, b"<html><head><title>x</title></head><body></body></html>")
    return made


def member(*holders: Holder, permissions: tuple[str, ...] = ("sites.manage", "reservations.make")) -> Actor:
    return Actor(
        kind="user",
        id=9,
        label="member",
        permissions=frozenset(permissions),
        holder_ids=frozenset(h.pk for h in holders),
    )


def read(site: Site) -> Site:
    """One reading, whenever it would be due."""
    Site.objects.filter(pk=site.pk).update(next_fetch_at=timezone.now() - dt.timedelta(seconds=1))
    assert sites.read(site.pk)
    site.refresh_from_db()
    return site


def proved(holder: Holder, host: str = "example.com") -> Site:
    """A site that staff have checked."""
    return Site.objects.create(
        society=holder.society, holder=holder, host=host, token=f"token-of-{host}", proof="staff",
        proved_at=timezone.now(), next_fetch_at=timezone.now(),
    )  # fmt: skip


def standing(site: Site) -> list[tuple[str, str, list[str]]]:
    """(place, pattern, excepting) of each reservation in force that the site's signals made."""
    found = Reservation.objects.filter(signal__site=site).counting(timezone.now()).order_by("place", "pattern", "pk")
    return [(each.place, each.pattern, list(each.excepting)) for each in found]


def versions(site: Site, source: str) -> list[FoundSignal]:
    return list(FoundSignal.objects.filter(site=site, source=source).order_by("pk"))


def problems(site: Site) -> list[tuple[str, int]]:
    return [(problem["code"], problem["times"]) for problem in site.problems]
