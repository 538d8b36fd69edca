"""`export_sister_statement NUMBER --out FILE.csv`"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from config.commands import Command as BaseCommand
from royalties.entitlements.services import find_statement, write_detail


class Command(BaseCommand):
    help = "Write the detail file of a payment to a sister society: one row a holder; the nets sum to the payment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="STATEMENT")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE.csv")

    def run(self, *, number: int, out: Path, **options: Any) -> dict[str, Any]:
        statement = find_statement(number)
        draft = out.with_name(f".{out.name}.part")
        try:
            with draft.open("w", encoding="utf-8-sig", newline="") as file:
                rows = write_detail(statement, file)
            os.replace(draft, out)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise Refusal(
                "file_unwritable", _("%(file)s cannot be written: %(why)s") % {"file": out, "why": error.strerror}
            ) from error
        return {
            "statement": statement.pk,
            "out": str(out),
            "rows": rows,
            "gross": statement.gross,
            "net": statement.net,
            "currency": statement.currency,
        }
