"""`bill_case CASE`"""

from __future__ import annotations

import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, NotFound
from config.actors import actor_by_email
from config.management.commands.bill import Command as Bill
from config.management.commands.bill import shown
from licensing.compliance.models import Case
from royalties.billing import services


class Command(Bill):
    help = (
        "Issue the invoice of a settled case: compensation, apart from fees. Billing it again gives the same invoice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("case", type=int, metavar="CASE")
        parser.add_argument(
            "--on", type=datetime.date.fromisoformat, metavar="DATE", help="the day of issue (default: today)"
        )
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who bills (default: the system)")

    def run(  # type: ignore[override]
        self, *, case: int, on: datetime.date | None, email: str | None, **options: Any
    ) -> dict[str, Any]:
        found = Case.objects.select_related("society").filter(pk=case).first() if 0 < case < 2**63 else None
        if found is None:
            raise NotFound(_("There is no such case."), pointer="/case")
        actor = actor_by_email(email, found.society) if email else SYSTEM
        invoice = services.bill_case(actor=actor, case=found, issued_on=on)
        return {"kind": invoice.kind, "case": invoice.case_id, **shown(invoice)}
