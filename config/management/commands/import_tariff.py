"""`import_tariff FILE.json --society REF [--determined-by RATE_BODY]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.services import find_organisation
from config.commands import Command as BaseCommand
from licensing.tariffs import core, services


class Command(BaseCommand):
    help = "Import one version of a tariff. It is proposed, and unusable, until a rate body has determined it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON document of the tariff version")
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--determined-by", metavar="REF", help="the rate body whose decision this records")

    def run(self, *, file: Path, society: str, determined_by: str | None, **options: Any) -> dict[str, Any]:
        proposer = find_organisation(ref=society, kind="society", pointer="/society")
        body = determined_by and find_organisation(ref=determined_by, kind="rate_body", pointer="/determined_by")
        document = core.read_text(_read(file))
        imported = services.import_tariff(actor=SYSTEM, society=proposer, document=document, determined_by=body or None)
        counts = {"read": 1} | {
            outcome: int(imported.outcome == outcome) for outcome in ("created", "updated", "unchanged")
        }
        version = imported.version
        return {
            "tariff": version.tariff.ref,
            "version": version.version,
            "status": version.status,
            "sha256": version.sha256,
            **counts,
            "rejected": 0,
            "rejects": [],
        }


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refusal(
            "file_unreadable", _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
        ) from error
