"""What is reserved, written in the formats that machines read, to be put on a site and served at stable addresses.

They say what is reserved, and where a licence may be had; none of them is a licence.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import NotFound
from accounts.organisations.models import Organisation
from licensing.permissions.services.subjects import Subject
from licensing.signals import cawg, content_usage, markup, robots, rsl, tdmai, tdmrep, vocabulary
from licensing.signals.core import EVERYTHING, Statement
from licensing.tariffs.models import TariffVersion


@dataclass(frozen=True, slots=True)
class Document:
    """One text in one format, ready to be served or put on a site."""

    form: str
    media_type: str
    body: bytes
    changed_at: dt.datetime

    @property
    def etag(self) -> str:
        """A strong one: of these very bytes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class Form:
    """A format: its media type, the vocabulary that it is limited to, and how a subject is written in it."""

    media_type: str
    vocabulary: str
    write: Callable[[Subject], str | bytes]


def document(subject: Subject, form: str) -> Document:
    """The subject in one format. Raises NotFound for a format that there is not, or not of this subject."""
    if form not in forms_of(subject):
        raise NotFound(_("There is no such format."))
    written = FORMS[form].write(subject)
    body = written if isinstance(written, bytes) else f"{written}\n".encode()
    return Document(form, FORMS[form].media_type, body, subject.changed_at)


def forms_of(subject: Subject) -> list[str]:
    """The formats in which this subject can be had: a declaration by fingerprint only of a work that has one."""
    return [form for form in FORMS if form != "tdmai.json" or subject.isccs]


def unsaid(subject: Subject, form: str) -> frozenset[str]:
    """The reserved uses for which a format has no word: another one must say them."""
    reserved = frozenset[str]().union(*(each.uses for each in subject.reserved))
    return vocabulary.unsaid(reserved, FORMS[form].vocabulary)


def licence_page(society: Organisation) -> str:
    """Where anybody reads on which terms the society licenses: its tariff in force, or the list where there are several."""
    in_force = TariffVersion.objects.in_force(timezone.localdate()).filter(tariff__society=society)
    tariffs = list(in_force.order_by("tariff_id").values_list("tariff_id", flat=True).distinct()[:2])
    path = reverse("licensing:tariff", args=tariffs) if len(tariffs) == 1 else reverse("licensing:tariffs")
    return settings.SITE_URL.rstrip("/") + path


OPEN: Final = (
    "/.well-known/",
    "/reservations/",
    "/search/",
    "/signals/",
    "/tariffs/",
    "/api/v1/docs/",
    "/api/v1/schema/",
)
OWN_SINCE: Final = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def own_tdmrep() -> Document:
    """This site's own file: the registers, tariffs and signals are for everybody, machines too; the rest is not."""
    statements = [Statement(each, allowed=EVERYTHING) for each in OPEN] + [Statement("/", EVERYTHING)]
    return Document("tdmrep.json", JSON, f"{tdmrep.write(statements)}\n".encode(), OWN_SINCE)


def _robots(subject: Subject) -> str:
    licence = subject.address("rsl.xml") if subject.reserved else ""
    return robots.write(subject.statements, licence=licence)


def _policy(subject: Subject) -> str:
    society, page = subject.society, licence_page(subject.society)
    return tdmrep.write_policy(uid=subject.address("policy.json"), assigner=page, name=society.name, page=page)


def _head(subject: Subject) -> str:
    """The tags for the head of a page: TDMRep's, and the link to the licence document."""
    link = f'<link rel="license" type="{rsl.MEDIA_TYPE}" href="{subject.address("rsl.xml")}">'
    return "\n".join(filter(None, [markup.write(tdmrep.write_headers(subject.statements)), link]))


def _rsl(subject: Subject) -> bytes:
    """Of a site with whole addresses, since the document may lie with us while it speaks of the site."""
    before = f"https://{subject.ref}" if subject.kind == "sites" else ""
    statements = [replace(each, location=before + each.location) for each in subject.statements]
    return rsl.write(statements, offer=rsl.Offer(tariff=licence_page(subject.society)))


def _tdmai(subject: Subject) -> str:
    declared = [tdmai.write(subject.statements, iscc=f"ISCC:{iscc}") for iscc in subject.isccs]
    if len(declared) == 1:
        return declared[0]
    return json.dumps([json.loads(each) for each in declared], indent=2, ensure_ascii=False)


JSON, TEXT = "application/json", "text/plain; charset=utf-8"
FORMS: Final[dict[str, Form]] = {
    "robots.txt": Form(TEXT, vocabulary.ROBOTS, _robots),
    "tdmrep.json": Form(JSON, vocabulary.TDMREP, lambda subject: tdmrep.write(subject.statements)),
    "policy.json": Form("application/ld+json", vocabulary.TDMREP, _policy),
    "head.html": Form(TEXT, vocabulary.TDMREP, _head),
    "content-usage.txt": Form(TEXT, vocabulary.AIPREF, lambda subject: content_usage.write(subject.statements)),
    "rsl.xml": Form(rsl.MEDIA_TYPE, vocabulary.RSL, _rsl),
    "cawg.json": Form(JSON, vocabulary.CAWG, lambda subject: cawg.write(subject.statements)),
    "tdmai.json": Form(JSON, vocabulary.TDMAI, _tdmai),
}
