"""A society with a small repertoire, a licensee with a licence, and declarations made of text."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from typing import Any

from accounts.identity.core import SYSTEM, Actor
from accounts.organisations.models import Organisation
from licensing.declarations import services
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.intake.services import path_of
from licensing.licences.models import Licence
from tests.licensing.parties import determined, licence, organisation, staff
from tests.licensing.repertoire_files import bring
from tests.licensing.tariff_documents import charge, tariff

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
    bring(society, "holders", "H1,Han", "H2,Seo", "H3,Unsigned")
    bring(
        society, "works",
        "N,web,News,domain:news.example.co.kr,",
        "W,web,Wiki,domain:wikipedia.org,",
        "P,web,Wiki page,url:en.wikipedia.org/wiki/Korea,",
        f"B,book,Book,isbn:{ISBN};proprietary:B-1,",
        "F,book,Free,proprietary:F-1,2026-02-01",
        "U,book,Unmandated,proprietary:U-1,",
        "S,book,Without shares,proprietary:S-1,",
        header="work_ref,kind,title,identifiers,protected_until",
    )  # fmt: skip
    bring(
        society, "shares",
        "N,H1,author,1/1,,", "W,H1,author,50%,,", "W,H2,author,50%,,", "P,H2,author,1/1,,", "B,H1,author,1/1,,",
        "F,H3,author,1/1,,", "U,H1,author,60%,,", "U,H3,author,40%,,",
    )  # fmt: skip
    bring(society, "mandates", "H1,*,*,*,2026-01-01,", "H2,train;ground,*,KR,2026-01-01,")
    return Firm(society, licensee, licence(society, licensee, version, **({"uses": ["train"]} | terms)))


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
