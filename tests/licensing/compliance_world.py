"""A firm that declared uses which nothing allowed, and who deals with it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.compliance import services
from licensing.compliance.models import Case
from licensing.declarations import services as declarations
from licensing.declarations.models import Declaration
from licensing.repertoire.models import Holder, Representation
from tests.accounts import people
from tests.licensing import declaring
from tests.licensing.declaring import Firm, declare, lines

# Of `declaring.firm()`: U is 60 % of H1 (mandated) and 40 % of H3 (not); S has no share on record; N is licensed.
UNALLOWED = ("proprietary,U-1,1001", "proprietary,S-1,500", "domain,news.example.co.kr,7")


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


def make(*rows: str, **terms: Any) -> World:
    """What the firm declared is accepted; `₩10` a thousand tokens is its tariff."""
    of = declaring.firm(**terms)
    declaration = accepted(of, lines(*(rows or UNALLOWED)))
    return World(
        of, declaration, people.actor(of.society, "licensing"), people.actor(of.society, "administrator"),
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
