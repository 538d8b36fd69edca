"""A society that pays: two people of finance, holders with their representatives, and payment details as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounts.access.models import Membership
from accounts.identity.core import Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.repertoire.models import Holder, Representation
from royalties.payees import services
from royalties.payees.models import PayeeDetails
from tests.licensing import parties

KOREAN = {"account": "110-123-456789", "bank": "신한은행", "residence": "KR", "tax_status": "kr_business"}
IBAN = "GB33BUKB20201555555555"


@dataclass
class Payers:
    """A society, and two of its people: who asks and who decides."""

    society: Organisation
    first: Actor
    second: Actor

    def holder(self, ref: str, **fields: Any) -> Holder:
        return Holder.objects.create(
            society=self.society, ref=ref, name=fields.pop("name", f"Holder {ref}"), **{"country": "KR"} | fields
        )

    def member(self, holder: Holder, scope: str = "member", email: str = "") -> Actor:
        user = User.objects.create_user(email or f"{holder.ref.lower()}-{scope}@example.org", "pw", name=holder.name)
        Representation.objects.create(user=user, holder=holder, scope=scope)
        return actor_of_user(user)

    def ask(self, holder: Holder, actor: Actor | None = None, **said: Any) -> PayeeDetails:
        payee = services.payee_of(holder)
        return services.request_details(actor=actor or self.first, payee=payee, **KOREAN | said)

    def approve(self, details: PayeeDetails) -> PayeeDetails:
        return services.decide_details(actor=self.second, details=details, approve=True)

    def usable(self, holder: Holder, **said: Any) -> PayeeDetails:
        """Approved details against which nothing was found."""
        details = self.approve(self.ask(holder, **said))
        services.record_check(actor=self.second, details_ids=[details.pk], state="clear", source="UN list, 1 Nov 2026")
        return details

    def file(self, folder: Path, text: str, name: str = "payees.csv") -> Path:
        path = folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, path: Path, **more: Any) -> Any:
        return services.import_payees(actor=self.first, society=self.society, path=path, name=path.name, **more)


def make_payers(ref: str = "KOREA-WEB", country: str = "KR") -> Payers:
    society = parties.organisation(ref, "society")
    if society.country != country:
        Organisation.objects.filter(pk=society.pk).update(country=country)
        society.refresh_from_db()
    return Payers(society, _finance(society, "first"), _finance(society, "second"))


def _finance(society: Organisation, name: str) -> Actor:
    user = User.objects.create_user(f"{name}@{society.ref.lower()}.example", "pw", name=name.title())
    Membership.objects.create(user=user, organisation=society, role="finance")
    return actor_of_user(user, society.pk)
