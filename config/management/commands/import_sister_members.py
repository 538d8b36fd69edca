"""`import_sister_members FILE --society REF --sister REF`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.services import find_organisation
from config.commands import Command as BaseCommand
from licensing.intake.services import keep
from royalties.entitlements.services import import_sister_members


class Command(BaseCommand):
    help = "Say which holders a sister society represents, from a table with holder_ref and, where known, their_ref."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, TSV, JSON Lines or Parquet; .gz and .zst too")
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--sister", required=True, metavar="REF")

    def run(self, *, file: Path, society: str, sister: str, **options: Any) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        other = find_organisation(ref=sister, kind="society", pointer="/sister")
        try:
            stream = file.open("rb")
        except OSError as error:
            detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
            raise Refusal("file_unreadable", detail) from error
        with stream:
            stored = keep(actor=SYSTEM, stream=stream, name=file.name, organisation=owner)
        return import_sister_members(actor=SYSTEM, society=owner, sister=other, stored=stored)
