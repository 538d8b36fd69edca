"""`record_receipt --invoice REF --amount N --on DATE --bank-ref R`"""

from __future__ import annotations

import datetime
from typing import Any

from django.core.management.base import CommandParser

from accounts.identity.core import SYSTEM
from accounts.organisations.services import find_organisation
from config.actors import actor_by_email
from config.commands import Command as BaseCommand
from royalties.billing import services


class Command(BaseCommand):
    help = "Book money that came in for an invoice. The same bank reference again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--invoice", required=True, metavar="REF", help="the invoice's number")
        parser.add_argument("--amount", required=True, type=int, metavar="N", help="minor units, VAT included")
        parser.add_argument(
            "--on", required=True, type=datetime.date.fromisoformat, metavar="DATE", help="the day it came in"
        )
        parser.add_argument("--bank-ref", required=True, metavar="R", help="the bank's reference of the payment")
        parser.add_argument("--society", metavar="REF", help="needed only where two societies use the number")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who books it (default: the system)")

    def run(
        self,
        *,
        invoice: str,
        amount: int,
        on: datetime.date,
        bank_ref: str,
        society: str | None,
        email: str | None,
        **options: Any,
    ) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society") if society else None
        found = services.find_invoice(number=invoice, society=owner)
        actor = actor_by_email(email, found.society) if email else SYSTEM
        receipt = services.record_receipt(actor=actor, invoice=found, amount=amount, received_on=on, bank_ref=bank_ref)
        found.refresh_from_db()
        return {
            "receipt": receipt.pk,
            "invoice": found.number,
            "open": found.open,
            "amount": receipt.amount,
            "net": receipt.net,
            "vat": receipt.vat,
            "currency": found.currency,
            "received_on": receipt.received_on.isoformat(),
            "bank_ref": receipt.bank_ref,
        }
