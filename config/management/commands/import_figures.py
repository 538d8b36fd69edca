"""`import_figures FILE`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from config.commands import Command as BaseCommand
from licensing.declarations.services.figures import import_figures


class Command(BaseCommand):
    help = "Import public figures about datasets, with their sources: what declared totals are held against."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            help="a table (columns: dataset, measure, amount, source, an address, stated_on), "
            "a Croissant description (JSON-LD), or a Hugging Face dataset card (README.md)",
        )
        parser.add_argument("--dataset", default="", help="the name that declarations use, of a description or card")
        parser.add_argument("--source", default="", help="the address where the description or card was read")

    def run(self, *, file: Path, dataset: str, source: str, **options: Any) -> dict[str, Any]:
        if not file.is_file():
            raise Refusal(
                "file_unreadable", _("%(file)s cannot be read: %(why)s") % {"file": file, "why": _("no such file")}
            )
        return import_figures(actor=SYSTEM, path=file, dataset=dataset, source=source)
