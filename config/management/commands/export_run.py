"""`export_run RUN --out FILE.csv`"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from config.commands import Command as BaseCommand
from royalties.distribution import services


class Command(BaseCommand):
    help = "Write a run's allocations as CSV: one row an allocation, by key; amounts sum to the distributable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="RUN")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE.csv")

    def run(self, *, number: int, out: Path, **options: Any) -> dict[str, Any]:
        run = services.find_run(number)
        if not run.result_digest:
            raise Refusal("run_is_not_computed", _("Run %(run)s is not computed yet.") % {"run": run.pk})
        draft = out.with_name(f".{out.name}.part")
        try:
            with draft.open("w", encoding="utf-8", newline="") as file:
                rows = services.export(run, file)
            os.replace(draft, out)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise Refusal(
                "file_unwritable", _("%(file)s cannot be written: %(why)s") % {"file": out, "why": error.strerror}
            ) from error
        return {
            "run": run.pk,
            "out": str(out),
            "rows": rows,
            "distributable": run.distributable,
            "currency": run.currency,
            "result_digest": run.result_digest,
        }
