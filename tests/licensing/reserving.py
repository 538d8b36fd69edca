"""A society with a few works, whose holders and mandates reservations are about; a member, a firm, and staff."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client

from accounts.identity.core import Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.permissions.models import Mandate, Reservation
from licensing.permissions.services import reservations
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Identifier, Representation, Share, Work
from licensing.terms import USES
from tests.accounts.people import person
from tests.licensing.declaring import ISBN
from tests.licensing.parties import organisation

ALWAYS = DateRange(dt.date(2020, 1, 1), None)


@dataclass(frozen=True)
class Scene:
    """Works: B a book, W a wiki and P a page of it, F in the public domain; Han holds all, and mandated the book's training."""

    society: Organisation
    holder: Holder
    user: User

    @property
    def member(self) -> Actor:
        return actor_of_user(self.user)

    @property
    def staff(self) -> Actor:
        return actor_of_user(person(self.society, "repertoire"), self.society.pk)

    def browser(self, user: User | None = None) -> Client:
        """Of the member, unless someone else is named."""
        client = Client()
        client.force_login(user or self.user)
        return client

    def asked_for(self, target: Target, **fields: Any) -> Reservation:
        """A stranger's reservation, received and waiting for its check."""
        wanted = {
            "uses": list(USES),
            "claimant": Claimant(None, "Seo Yun", "seo@poet.example", "author", "en"),
        } | fields
        made = reservations.request(society=self.society, target=target, **wanted)
        now = dt.datetime.now(dt.UTC)
        Reservation.objects.filter(pk=made.pk).update(
            status="received", received_at=now, effective_from=now, due_on=dt.date.today()
        )
        made.refresh_from_db()
        return made

    def reserved(self, target: Target, **fields: Any) -> Reservation:
        """A reservation of the member's own."""
        wanted = {"uses": list(USES), "source": "member", "claimant": Claimant(holder=self.holder)} | fields
        return reservations.reserve(actor=self.member, society=self.society, target=target, **wanted)


def work(society: Organisation, ref: str, kind: str, title: str, *identifiers: str, **fields: Any) -> Work:
    made = Work.objects.create(society=society, ref=ref, kind=kind, title=title, **fields)
    for each in identifiers:
        scheme, _colon, value = each.partition(":")
        Identifier.objects.create(society=society, work=made, scheme=scheme, value=value)
    return made


def scene() -> Scene:
    society = organisation("PRESS", "society")
    holder = Holder.objects.create(society=society, ref="H1", name="Han", email="han@writer.example")
    user = User.objects.create_user("han@writer.example", "pw", language="en")
    Representation.objects.create(user=user, holder=holder)
    works = [
        work(society, "B", "book", "Book", f"isbn:{ISBN}", creators="Han"),
        work(society, "W", "web", "Wiki", "domain:wikipedia.org"),
        work(society, "P", "web", "Wiki page", "url:en.wikipedia.org/wiki/Korea"),
        work(society, "F", "book", "Free", protected_until=dt.date(2021, 1, 1)),
    ]
    for each in works:
        Share.objects.create(work=each, holder=holder, role="author", ppm=1_000_000, valid=ALWAYS)
    Mandate.objects.create(
        society=society, holder=holder, uses=["train"], kinds=["book"], territory=["*"], valid=ALWAYS
    )
    return Scene(society, holder, user)
