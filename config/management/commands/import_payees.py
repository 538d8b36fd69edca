"""`import_payees FILE --society REF [--as EMAIL --approve-as EMAIL] [--screened LIST]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from accounts.organisations.services import find_organisation
from config.actors import two_people
from config.commands import Command as BaseCommand
from royalties.payees import services


class Command(BaseCommand):
    help = "Import a payees file: where holders are paid. It is used once a second person approved it and its waiting time is over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, TSV, JSON Lines or Parquet; .gz and .zst too")
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who imports it and asks for its approval")
        parser.add_argument("--approve-as", metavar="EMAIL", help="another person, who approves it")
        parser.add_argument(
            "--screened",
            default="",
            metavar="LIST",
            help="the list of sanctions, with its day, that all of them passed",
        )

    def run(
        self, *, file: Path, society: str, email: str | None, approve_as: str | None, screened: str = "", **options: Any
    ) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        actor, approver = two_people(email, approve_as, owner)
        try:
            file.open("rb").close()
        except OSError as error:
            detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
            raise Refusal("file_unreadable", detail) from error
        done = services.import_payees(actor=actor, society=owner, path=file, name=file.name, screened=screened)
        approved = 0
        if email and services.waits(done.made):
            services.ask_import_approval(actor=actor, made=done.made)
            if approver:
                approved = services.decide_import(actor=approver, made=done.made, approve=True)
        return done.as_data() | {"approved": approved}
