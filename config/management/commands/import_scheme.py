"""`import_scheme FILE.json --society REF [--enable | --disable]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.services import find_organisation
from config.commands import Command as BaseCommand
from licensing.permissions.services import schemes


class Command(BaseCommand):
    help = "Import a statutory scheme. It is off, and licenses nothing, until it is enabled."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON document of the scheme")
        parser.add_argument("--society", required=True, metavar="REF")
        switch = parser.add_mutually_exclusive_group()
        switch.add_argument("--enable", action="store_true", help="let permission follow it from now on")
        switch.add_argument("--disable", action="store_true", help="let permission follow it no longer")

    @transaction.atomic
    def run(self, *, file: Path, society: str, enable: bool, disable: bool, **options: Any) -> dict[str, Any]:
        where = find_organisation(ref=society, kind="society", pointer="/society")
        document = schemes.read_document(_read(file))
        imported = schemes.import_scheme(actor=SYSTEM, society=where, document=document)
        scheme = imported.scheme
        if enable:
            scheme = schemes.enable(actor=SYSTEM, scheme=scheme)
        elif disable:
            scheme = schemes.disable(actor=SYSTEM, scheme=scheme)
        outcomes = ("created", "updated", "unchanged")
        counts = {"read": 1} | {outcome: int(imported.outcome == outcome) for outcome in outcomes}
        return {"scheme": scheme.ref, "enabled": scheme.enabled, **counts, "rejected": 0, "rejects": []}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
        raise Refusal("file_unreadable", detail) from error
