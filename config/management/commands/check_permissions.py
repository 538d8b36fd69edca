"""`check_permissions FILE --organisation REF --use U [--on DATE] [--territory T] [--out FILE]`"""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.models import Organisation
from accounts.organisations.services import find_organisation
from config.commands import Command as BaseCommand
from licensing import terms
from licensing.permissions.services import bulk
from licensing.permissions.services.checks import Question


class Command(BaseCommand):
    help = "Ask whether an organisation may use the works of a file, row by row, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, TSV, JSON Lines or Parquet, also .gz or .zst")
        parser.add_argument("--organisation", required=True, metavar="REF", help="who asks: a licensee, or a society")
        parser.add_argument("--use", required=True, choices=[*terms.USES])
        parser.add_argument("--on", type=datetime.date.fromisoformat, metavar="DATE", help="default: now")
        parser.add_argument("--territory", default="KR", metavar="KR")
        parser.add_argument("--model", default="", metavar="NAME")
        parser.add_argument("--dataset", default="", metavar="NAME")
        parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the rows (.csv, or .csv.zst)")
        parser.add_argument("--receipt", type=Path, metavar="FILE", help="where to write the signed receipt")

    def run(
        self, *, file: Path, organisation: str, use: str, on: datetime.date | None, territory: str, model: str, dataset: str,
        out: Path | None, receipt: Path | None, **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        who = _organisation(organisation)
        try:
            with file.open("rb") as stream:
                made = bulk.request_check(
                    actor=SYSTEM,
                    organisation=who,
                    question=Question(use, on, territory, model, dataset),
                    stream=stream,
                    name=file.name,
                )
        except OSError as error:
            detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
            raise Refusal("file_unreadable", detail) from error
        done = bulk.finished(made)
        if out:
            _write(done, out)
        if receipt:
            receipt.write_text(done.receipt + "\n", encoding="ascii")
        return {
            "check": done.pk, "status": done.status, "as_of": done.as_of, "rows": done.rows, "verdicts": done.verdicts,
            "licences": done.licences, "sha256": made.file.sha256, "result_sha256": done.result and done.result.sha256,
        }  # fmt: skip


def _organisation(ref: str) -> Organisation:
    kind = Organisation.objects.filter(ref=ref).values_list("kind", flat=True).first()
    return find_organisation(ref=ref, kind="society" if kind == "society" else "licensee", pointer="/organisation")


def _write(done: Any, out: Path) -> None:
    path = bulk.result_of(done)
    if out.suffix == ".zst":
        shutil.copyfile(path, out)
        return
    with out.open("wb") as stream:
        stream.writelines(bulk.unpacked(path))
