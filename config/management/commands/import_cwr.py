"""`import_cwr FILE --society REF [--ack OUT]`"""

import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from config.imports import ImportCommand
from licensing.intake.models import Import
from licensing.intake.services import path_of
from licensing.repertoire.services import import_cwr


class Command(ImportCommand):
    help = (
        "Import the works of a CWR 2.1 or 2.2 file with their shares; --ack writes the acknowledgement for its sender."
    )
    service = staticmethod(import_cwr)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--ack", type=Path, metavar="OUT", help="where to write the acknowledgement")

    def run(self, *, ack: Path | None = None, **options: Any) -> dict[str, Any]:
        result = super().run(**options)
        if ack is not None:
            answer = Import.objects.select_related("answer").get(pk=result["import"]).answer
            assert answer is not None
            try:
                shutil.copyfile(path_of(answer), ack)
            except OSError as error:
                detail = _("The file was imported, but %(file)s cannot be written: %(why)s")
                raise Refusal("file_unwritable", detail % {"file": ack, "why": error.strerror}) from error
            result["acknowledgement"] = str(ack)
        return result
