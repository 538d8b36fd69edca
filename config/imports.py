"""The base of the commands that import a contract file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, Refusal
from accounts.organisations.models import Organisation
from accounts.organisations.services import find_organisation
from config.commands import Command
from licensing.intake.importing import ImportResult
from licensing.intake.services import keep


class ImportCommand(Command):
    """Keeps the file as received, then imports it by the service that pages use too."""

    service: ClassVar[Callable[..., ImportResult]]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, TSV, JSON Lines or Parquet; .gz and .zst too")
        parser.add_argument("--society", required=True, metavar="REF")

    def run(self, *, file: Path, society: str, **options: Any) -> dict[str, Any]:
        return self.imported(file, find_organisation(ref=society, kind="society", pointer="/society"), actor=SYSTEM)

    def imported(self, file: Path, owner: Organisation, *, actor: Actor, **more: Any) -> dict[str, Any]:
        try:
            stream = file.open("rb")
        except OSError as error:
            detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
            raise Refusal("file_unreadable", detail) from error
        with stream:
            stored = keep(actor=actor, stream=stream, name=file.name, organisation=owner)
        return type(self).service(actor=actor, society=owner, file=stored, **more).as_data()
