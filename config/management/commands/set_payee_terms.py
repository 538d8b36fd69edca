"""`set_payee_terms --society REF --cooling-off-days N --as EMAIL [--approve-as EMAIL]`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.organisations.services import find_organisation
from config.actors import two_people
from config.commands import Command as BaseCommand
from royalties.payees import services


class Command(BaseCommand):
    help = "Lay down for how many days a society waits before it uses approved payment details; two people do this."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--cooling-off-days", required=True, type=int, metavar="N")
        parser.add_argument("--as", dest="email", required=True, metavar="EMAIL", help="who asks for it")
        parser.add_argument("--approve-as", metavar="EMAIL", help="another person, who approves it")

    def run(
        self, *, society: str, cooling_off_days: int, email: str, approve_as: str | None, **options: Any
    ) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        actor, approver = two_people(email, approve_as, owner)
        terms = services.request_terms(actor=actor, society=owner, cooling_off_days=cooling_off_days)
        if approver:
            terms = services.decide_terms(actor=approver, terms=terms, approve=True)
        return {"society": owner.ref, "cooling_off_days": terms.cooling_off_days, "status": terms.status}
