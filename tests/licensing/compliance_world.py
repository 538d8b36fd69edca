"""A firm that declared uses which nothing allowed, and who deals with it."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.compliance import services
from licensing.compliance.models import Case
from licensing.declarations import services as declarations
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.repertoire.models import Holder, Representation, Share, Work
from licensing.terms import PPM
from tests.accounts import people
from tests.licensing import declaring
from tests.licensing.declaring import Firm, declare, lines
from tests.licensing.parties import declaration, determined, licence, organisation
from tests.licensing.tariff_documents import charge, tariff


@dataclass
class World:
    """One accepted declaration and its parties; `staff` and `second` are the society's, `firm` and `creator` the others'."""

    of: Firm
    declaration: Declaration
    staff: Actor
    second: Actor
    licensee: Actor

    @property
    def society(self) -> Organisation:
        return self.of.society

    def opened(self) -> dict[str, Case]:
        """The declaration's cases by holder ref, once it was looked through."""
        services.open_cases(self.declaration.pk)
        return cases(self.declaration)

    def told(self) -> dict[str, Case]:
        """The same, once the licensee was told."""
        self.opened()
        services.notify_declaration(actor=self.staff, declaration=self.declaration)
        return cases(self.declaration)

    def creator(self, ref: str, scope: str = "member", language: str = "en") -> Actor:
        """Someone who acts for a holder."""
        user = User.objects.create_user(f"{scope}-{ref}@creators.example".lower(), "pw", language=language)
        Representation.objects.create(user=user, holder=Holder.objects.get(ref=ref), scope=scope)
        return actor_of_user(user)


Row = tuple[str, int] | tuple[str, int, str]  # work or scheme:value, units, and the ending where it is not `unmandated`


def make(*rows: Row, **terms: Any) -> World:
    """An accepted declaration, as rows. W is half of H1 and half of H2, U 60 % of H1 and 40 % of H3, S of nobody.

    The tariff asks ₩10 a thousand tokens.
    """
    society, licensee = organisation("PRESS", "society"), organisation("DASAN-AI", "licensee")
    version = determined(society, tariff(charge("per_unit", "tokens", per=1000, price="10")))
    of = Firm(society, licensee, licence(society, licensee, version, **({"uses": ["train"]} | terms)))
    for ref in ("H1", "H2", "H3"):
        Holder.objects.create(society=society, ref=ref, name=ref)
    for ref in ("N", "W", "U", "S"):
        Work.objects.create(society=society, ref=ref, kind="book", title=ref)
    for work, holder, ppm in (("N", "H1", PPM), ("W", "H1", 500_000), ("W", "H2", 500_000), *_U):
        _share(society, work, holder, ppm)
    return around(of, declared(of, *rows))


_U = (("U", "H1", 600_000), ("U", "H3", 400_000))


def _share(society: Organisation, work: str, holder: str, ppm: int) -> None:
    Share.objects.create(
        work=Work.objects.get(society=society, ref=work), holder=Holder.objects.get(society=society, ref=holder),
        role="author", ppm=ppm, valid=DateRange(None, None),
    )  # fmt: skip


def declared(of: Firm, *rows: Row, use: str = "train", unit: str = "token", **fields: Any) -> Declaration:
    """An accepted declaration of these rows, used on the last day of its period."""
    counts: dict[str, int] = {}
    for row in rows:
        status = row[2] if len(row) > 2 else "unmandated"
        counts[status] = counts.get(status, 0) + 1
    made = declaration(of.licence, lines=counts, sha256=f"{next(_numbers):064x}", **fields)
    works = dict(Work.objects.filter(society=of.society).values_list("ref", "id"))
    for key, units, *ending in rows:
        scheme, _colon, value = key.partition(":") if key not in works else ("", "", "")
        DeclaredUse.objects.create(
            declaration=made, work_id=works.get(key), scheme=scheme, value=value, kind="web" if value else "book",
            use=use, unit=unit, used_on=datetime.date(2026, 3, 31), status=ending[0] if ending else "unmandated",
            units=units, lines=1, missing_ppm={"U": 400_000, "S": 1_000_000}.get(key, 0),
        )  # fmt: skip
    made.submitted_at = timezone.now()
    made.save(update_fields=["submitted_at"])
    return made


_numbers = itertools.count(1)


def real(*rows: str) -> World:
    """The same by the way that files take, with the works of `declaring.firm()`."""
    of = declaring.firm()
    return around(of, accepted(of, lines(*rows)))


def around(of: Firm, made: Declaration) -> World:
    """Its parties' people."""
    return World(
        of, made, people.actor(of.society, "licensing"), people.actor(of.society, "administrator"),
        people.actor(of.licensee, "declarant"),
    )  # fmt: skip


def accepted(of: Firm, data: bytes, **options: Any) -> Declaration:
    """Handed in and accepted, whatever questions were open."""
    made = declare(of, data, submit=True, **options)
    return declarations.accept(actor=SYSTEM, declaration=made)


def cases(declaration: Declaration) -> dict[str, Case]:
    """By holder ref; nobody on record is the empty one."""
    found = Case.objects.filter(declaration=declaration).select_related("holder", "society", "licensee", "declaration")
    return {case.holder.ref if case.holder else "": case for case in found}


def terms(society: Organisation, multiple: str = "2", per_work: int | None = None, **more: Any) -> Any:
    import datetime

    given: dict[str, Any] = {"valid_from": datetime.date(2026, 1, 1)} | more
    return services.set_compensation(
        actor=SYSTEM, society=society, multiple=Decimal(multiple), per_work=per_work, **given
    )
