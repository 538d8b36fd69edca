"""`export_statements RUN --out DIR [--format pdf|csv|json] [--holder REF] [--language ko|en]`"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from config.commands import Command as BaseCommand
from royalties.distribution.services import find_run
from royalties.statements import services
from royalties.statements.services.files import FORMATS, LANGUAGES


class Command(BaseCommand):
    help = "Write the statements of a published run into a folder, one file a holder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="RUN")
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")
        parser.add_argument("--format", dest="form", choices=FORMATS, default="pdf")
        parser.add_argument("--holder", metavar="REF", help="this holder's statement only")
        parser.add_argument("--language", choices=LANGUAGES, default="ko")

    def run(
        self, *, number: int, out: Path, form: str, holder: str | None, language: str, **options: Any
    ) -> dict[str, Any]:
        run, started = find_run(number), time.monotonic()
        try:
            written = services.export_statements(run=run, folder=out, form=form, holder=holder, language=language)
        except OSError as error:
            raise Refusal(
                "file_unwritable", _("%(file)s cannot be written: %(why)s") % {"file": out, "why": error.strerror}
            ) from error
        seconds = time.monotonic() - started
        return {
            "run": run.pk,
            "out": str(out),
            "format": form,
            "language": language,
            "statements": written,
            "seconds": round(seconds, 3),
        }
