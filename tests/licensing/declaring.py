"""A society with a small repertoire, a licensee with a licence, and declarations made of text."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.identity.core import SYSTEM, Actor
from accounts.organisations.models import Organisation
from licensing.declarations import services
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.intake.services import path_of
from licensing.licences.models import Licence
from licensing.permissions.models import Mandate
from licensing.repertoire.identifiers import normalise
from licensing.repertoire.models import Holder, Identifier, Share, Work
from licensing.terms import PPM
from tests.licensing.parties import determined, licence, organisation, staff
from tests.licensing.tariff_documents import charge, tariff

ALWAYS = DateRange(None, None)
PERIOD = (dt.date(2026, 1, 1), dt.date(2026, 4, 1))
HEADER = "identifier_type,identifier,units"
ISBN = "9780306406157"


@dataclass(frozen=True)
class Firm:
    """The two parties and what they are about."""

    society: Organisation
    licensee: Organisation
    licence: Licence

    @property
    def declarant(self) -> Actor:
        return staff(self.licensee, "declarations.declare", "declarations.view", "permissions.check")

    @property
    def reviewer(self) -> Actor:
        return staff(self.society, "declarations.review", "declarations.view", "mandates.manage", "permissions.check")


def firm(**terms: Any) -> Firm:
    """Works: N news site, W a wiki with a registered path P, B a book (public domain F, without mandate U, no share S)."""
    society, licensee = organisation("PRESS", "society"), organisation("DASAN-AI", "licensee")
    version = determined(society, tariff(charge("per_unit", "tokens", per=1000, price="10")))
    _repertoire(society)
    return Firm(society, licensee, licence(society, licensee, version, **({"uses": ["train"]} | terms)))


_WORKS: dict[
    str, tuple[str, str, dt.date | None, str, dict[str, int]]
] = {  # kind, title, free from, identifiers, shares
    "N": ("web", "News", None, "domain:news.example.co.kr", {"H1": PPM}),
    "W": ("web", "Wiki", None, "domain:wikipedia.org", {"H1": PPM // 2, "H2": PPM // 2}),
    "P": ("web", "Wiki page", None, "url:en.wikipedia.org/wiki/Korea", {"H2": PPM}),
    "B": ("book", "Book", None, f"isbn:{ISBN};proprietary:B-1", {"H1": PPM}),
    "F": ("book", "Free", dt.date(2026, 2, 1), "proprietary:F-1", {"H3": PPM}),
    "U": ("book", "Unmandated", None, "proprietary:U-1", {"H1": 600_000, "H3": 400_000}),
    "S": ("book", "Without shares", None, "proprietary:S-1", {}),
}


def _repertoire(society: Organisation) -> None:
    """The rows that imports would leave; four imports a test would take longer than what most tests look at."""
    names = {"H1": "Han", "H2": "Seo", "H3": "Unsigned"}
    holders = {ref: Holder.objects.create(society=society, ref=ref, name=name) for ref, name in names.items()}
    for ref, (kind, title, free, identifiers, shares) in _WORKS.items():
        work = Work.objects.create(society=society, ref=ref, kind=kind, title=title, protected_until=free)
        for scheme, _colon, value in (each.partition(":") for each in identifiers.split(";")):
            Identifier.objects.create(society=society, work=work, scheme=scheme, value=normalise(scheme, value))
        for holder, ppm in shares.items():
            Share.objects.create(work=work, holder=holders[holder], role="author", ppm=ppm, valid=ALWAYS)
    for ref, uses, territory in (("H1", ["*"], ["*"]), ("H2", ["ground", "train"], ["KR"])):
        since = DateRange(dt.date(2026, 1, 1), None)
        grant = {"uses": uses, "kinds": ["*"], "territory": territory, "valid": since}
        Mandate.objects.create(society=society, holder=holders[ref], **grant)


def lines(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def declare(of: Firm, data: bytes, *, name: str = "use.csv", actor: Actor = SYSTEM, **options: Any) -> Declaration:
    """Declare these bytes to the end of processing; January to March, training tokens, unless said otherwise."""
    settings = {"period": PERIOD, "use": "train", "unit": "token", "wait": True} | options
    return services.declare_file(actor=actor, licence=of.licence, stream=io.BytesIO(data), name=name, **settings)


def counts(declaration: Declaration) -> dict[str, int]:
    """Lines by status that has any, the total aside."""
    assert declaration.lines["total"] == sum(n for status, n in declaration.lines.items() if status != "total")
    assert declaration.units["total"] == sum(n for status, n in declaration.units.items() if status != "total")
    return {status: n for status, n in declaration.lines.items() if n and status != "total"}


def uses(declaration: Declaration) -> list[tuple[Any, ...]]:
    """Its declared use as (work or scheme:value, status, basis, units, lines), sorted."""
    found = DeclaredUse.objects.filter(declaration=declaration).select_related("work")
    return sorted(
        (u.work.ref if u.work else f"{u.scheme}:{u.value}", u.status, u.basis, int(u.units), u.lines) for u in found
    )


def rejects(declaration: Declaration) -> list[tuple[int, str, str, str]]:
    """(row, column, value, reason) of the listed rejects, over its files."""
    found: list[tuple[int, str, str, str]] = []
    for file in declaration.files.filter(rejects__isnull=False).order_by("position"):
        with path_of(file.rejects).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        assert rows[0] == ["row", "column", "value", "reason"]
        found += [(int(row), column, value, reason) for row, column, value, reason in rows[1:]]
    return found
