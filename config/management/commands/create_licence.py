"""`create_licence REF --licensee REF --society REF --tariff REF --uses U;U --from DATE [--to DATE] [--tier NAME]`"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.services import find_organisation
from config.commands import Command as BaseCommand
from licensing.licences import services
from licensing.licences.conditions import read_text
from licensing.tariffs.services import find_tariff


class Command(BaseCommand):
    help = "Grant a licence. The same licence again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref")
        parser.add_argument("--licensee", required=True, metavar="REF")
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--tariff", required=True, metavar="REF")
        parser.add_argument("--uses", required=True, type=_codes, metavar="train;ground", help="separated by ; or *")
        parser.add_argument(
            "--kinds", type=_codes, default=["*"], metavar="web;book", help="separated by ; (default: *)"
        )
        parser.add_argument("--territory", type=_codes, default=["*"], metavar="KR", help="separated by ; (default: *)")
        parser.add_argument("--models", type=_codes, default=[], metavar="NAME", help="separated by ; (default: any)")
        parser.add_argument("--datasets", type=_codes, default=[], metavar="NAME", help="separated by ; (default: any)")
        parser.add_argument(
            "--from", dest="valid_from", required=True, type=datetime.date.fromisoformat, metavar="DATE"
        )
        parser.add_argument(
            "--to", dest="valid_to", type=datetime.date.fromisoformat, metavar="DATE", help="first day after the term"
        )
        parser.add_argument("--tier", default="", metavar="NAME", help="the licensee's tier in the tariff")
        parser.add_argument(
            "--conditions", type=Path, metavar="FILE.json", help="its duties as data (docs/licences.md; default: none)"
        )
        parser.add_argument("--draft", action="store_true", help="leave it a draft, which licenses nothing yet")

    def run(self, *, ref: str, draft: bool, conditions: Path | None, **options: Any) -> dict[str, Any]:
        society = find_organisation(ref=options["society"], kind="society", pointer="/society")
        licence = services.create_licence(
            actor=SYSTEM,
            ref=ref,
            society=society,
            licensee=find_organisation(ref=options["licensee"], kind="licensee", pointer="/licensee"),
            tariff=find_tariff(society=society, ref=options["tariff"]),
            uses=options["uses"],
            kinds=options["kinds"],
            territory=options["territory"],
            ai_models=options["models"],
            datasets=options["datasets"],
            valid_from=options["valid_from"],
            valid_to=options["valid_to"],
            tier=options["tier"],
            status="draft" if draft else "active",
            conditions=_conditions(conditions) if conditions else None,
        )
        return {
            "licence": licence.ref,
            "status": licence.status,
            "licensee": licence.licensee.ref,
            "society": licence.society.ref,
            "tariff": licence.tariff.ref,
            "uses": licence.uses,
            "kinds": licence.kinds,
            "territory": licence.territory,
            "valid_from": licence.valid.lower.isoformat(),
            "valid_to": licence.valid.upper and licence.valid.upper.isoformat(),
            "tier": licence.tier,
        }


def _conditions(file: Path) -> Any:
    try:
        return read_text(file.read_bytes())
    except OSError as error:
        detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
        raise Refusal("file_unreadable", detail) from error


def _codes(text: str) -> list[str]:
    """A list as the contract writes it: `train;ground`."""
    return [part.strip() for part in text.split(";") if part.strip()]
