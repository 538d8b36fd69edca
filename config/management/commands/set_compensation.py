"""`set_compensation --society REF --multiple 2 [--per-work N] --from DATE`"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandParser

from accounts.identity.core import SYSTEM
from accounts.organisations.services import find_organisation
from config.actors import actor_by_email
from config.commands import Command as BaseCommand
from licensing.compliance import services


def _multiple(text: str) -> Decimal:
    if not text.replace(".", "", 1).isdecimal() or not text.isascii():
        raise ValueError(text)
    return Decimal(text)


class Command(BaseCommand):
    help = "Lay down what a society asks for uses that nothing allowed: a multiple of the ordinary fee, or an amount a work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--multiple", required=True, type=_multiple, metavar="N", help="2: twice the ordinary fee")
        parser.add_argument("--per-work", type=int, metavar="N", help="at least this a work, in minor units")
        parser.add_argument("--currency", default="KRW", metavar="CODE", help="of the amount a work (default: KRW)")
        parser.add_argument(
            "--answer-days", type=int, default=14, metavar="DAYS", help="to answer a case (default: 14)"
        )
        parser.add_argument("--source", default="", metavar="TEXT", help="where it is laid down")
        parser.add_argument("--from", dest="start", required=True, type=datetime.date.fromisoformat, metavar="DATE")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who sets it (default: the system)")

    def run(self, *, society: str, start: datetime.date, email: str | None, **options: Any) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        terms = services.set_compensation(
            actor=actor_by_email(email, owner) if email else SYSTEM, society=owner, multiple=options["multiple"],
            valid_from=start, per_work=options["per_work"], currency=options["currency"],
            answer_days=options["answer_days"], source=options["source"],
        )  # fmt: skip
        return {
            "society": owner.ref, "valid_from": start.isoformat(), "multiple": str(terms.multiple),
            "per_work": terms.amount_per_work, "currency": terms.currency, "answer_days": terms.answer_days,
        }  # fmt: skip
