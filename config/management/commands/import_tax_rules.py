"""`import_tax_rules FILE.json`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from config.commands import Command as BaseCommand
from royalties.payees import services
from royalties.payees.core import read_text


class Command(BaseCommand):
    help = "Put tax rules on record, for every society alike. A new version ends the open one on its first day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="one rule, or a list of them, as JSON")

    @transaction.atomic
    def run(self, *, file: Path, **options: Any) -> dict[str, Any]:
        try:
            document = read_text(file.read_bytes())
        except OSError as error:
            detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
            raise Refusal("file_unreadable", detail) from error
        documents = document if isinstance(document, list) else [document]
        done = [services.import_tax_rule(actor=SYSTEM, document=each) for each in documents]
        created = sum(new for _rule, new in done)
        return {
            "read": len(done), "created": created, "unchanged": len(done) - created, "rules": [str(rule) for rule, _new in done],
        }  # fmt: skip
