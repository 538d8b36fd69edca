"""A society whose licensee declared things that matched nothing, staff who decide about them, and creators who claim them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.access import services as access
from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from config.actors import actor_of_user
from licensing.claims import services
from licensing.claims.models import Claim, Unmatched
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.matching.core import title_key
from licensing.repertoire.models import Holder, Representation, Work
from licensing.terms import KIND_OF_SCHEME
from tests.accounts import people
from tests.licensing.declaring import Firm, firm

ISBN = "9788936434267"
DIARIES, HA = "The Vegetarian Diaries", "Kim Ha"
OTHER_ISBN, BY_TITLE = "9780140449136", title_key(DIARIES, HA)
# (scheme, value, tokens, title, creators) of what matches nothing: a book under two numbers and by title alone, two pages
# of one host, another host.
UNKNOWN = (
    ("isbn", ISBN, 5000, DIARIES, HA),
    ("isbn", OTHER_ISBN, 700, DIARIES, HA),
    ("title", BY_TITLE, 300, DIARIES, HA),
    ("url", "poems.example.org/a", 900, "", ""),
    ("url", "poems.example.org/b", 100, "", ""),
    ("domain", "other-site.example.net", 50, "", ""),
)
Row = tuple[str, str, int, str, str]


@dataclass(frozen=True)
class World:
    firm: Firm
    declaration: Declaration

    @property
    def society(self) -> Any:
        return self.firm.society

    def staff(self, role: str = "repertoire", email: str = "") -> Actor:
        return people.actor(self.society, role, email)

    def item(self, value: str = ISBN) -> Unmatched:
        return Unmatched.objects.select_related("society").get(society=self.society, value=value)

    def holder(self, ref: str = "H1") -> Holder:
        return Holder.objects.get(society=self.society, ref=ref)

    def creator(self, ref: str = "H1") -> Actor:
        """Who acts for that member."""
        return actor_of_user(self.creator_user(ref))

    def creator_user(self, ref: str = "H1") -> User:
        email = f"{ref.lower()}@creators.example"
        user = User.objects.filter(email=email).first() or access.create_person(actor=SYSTEM, email=email)[0]
        Representation.objects.get_or_create(user=user, holder=self.holder(ref))
        return user

    def claim(self, ref: str = "H1", item: Unmatched | None = None, **options: Any) -> Claim:
        given = {"statement": "I wrote it.", "evidence": io.BytesIO(b"%PDF-1 contract of " + ref.encode())} | options
        return services.claim(
            actor=self.creator(ref), holder=self.holder(ref), item=item or self.item(), name="contract.pdf", **given
        )


def world(rows: Sequence[Row] = UNKNOWN) -> World:
    """A news site (matched, 1,000 tokens) and what is unknown were declared at 10 won for 1,000 tokens; that is accepted."""
    of = firm()
    made = World(of, accepted(of, rows))
    services.refresh_items(made.society)
    return made


def accepted(of: Firm, rows: Sequence[Row], *, matched: int = 1000, unit: str = "token", **fields: Any) -> Declaration:
    """The rows that an accepted declaration leaves; declaring each through a file would take longer than what tests look at."""
    amount = (matched + sum(row[2] for row in rows) + 50) // 100
    fee = {"amount": amount, "currency": "KRW", "lines": [{"name": "tokens", "amount": amount, "unit": "token"}]}
    period = DateRange(dt.date(2026, 1, 1), dt.date(2026, 4, 1))
    given = {"status": "accepted", "fee": fee, "period": period} | fields
    made = Declaration.objects.create(licence=of.licence, **given)
    same: dict[str, Any] = {
        "declaration": made,
        "use": "train",
        "unit": unit,
        "used_on": dt.date(2026, 3, 31),
        "lines": 1,
    }
    news = Work.objects.get(society=of.society, ref="N")
    DeclaredUse.objects.bulk_create([
        DeclaredUse(work=news, kind="web", status="licensed", basis="licence", units=matched, **same),
        *(
            DeclaredUse(
                scheme=scheme, value=value, kind=KIND_OF_SCHEME.get(scheme, "other"), status="unmatched", units=units,
                title=title, creators=creators, **same,
            )
            for scheme, value, units, title, creators in rows
        ),
    ])  # fmt: skip
    return made


def sums(society: Any) -> dict[str, int]:
    """Units by unit over all unmatched rows of what the society has accepted, in plain SQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT u.unit, sum(u.units) FROM licensing_declareduse u JOIN licensing_declaration d ON d.id = u.declaration_id
               JOIN licensing_licence l ON l.id = d.licence_id
               WHERE l.society_id = %s AND d.status = 'accepted' AND NOT d.sandbox AND u.status = 'unmatched' GROUP BY 1""",
            [society.pk],
        )
        return {unit: int(units) for unit, units in cursor.fetchall()}
