"""`import_terms FILE.json --society REF [--publish]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.services import find_organisation
from config.commands import Command as BaseCommand
from licensing.licences import clauses
from licensing.licences.services import terms as services


class Command(BaseCommand):
    help = (
        "Import a society's standard terms as its draft or, with --publish, as the version that new offers are under."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON document of the terms, in English and Korean")
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--publish", action="store_true", help="publish it; the version before is superseded")

    def run(self, *, file: Path, society: str, publish: bool, **options: Any) -> dict[str, Any]:
        of = find_organisation(ref=society, kind="society", pointer="/society")
        try:
            text = file.read_bytes()
        except OSError as error:
            detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
            raise Refusal("file_unreadable", detail) from error
        made, outcome = services.import_terms(
            actor=SYSTEM, society=of, document=clauses.read_text(text), published=publish
        )
        return {
            "terms": made.ref,
            "version": made.version,
            "status": made.status,
            "sha256": made.sha256,
            "read": 1,
            **{each: int(each == outcome) for each in ("created", "updated", "unchanged")},
            "rejected": 0,
            "rejects": [],
        }
