"""`import_scheme FILE.json --society REF [--enable | --disable] [--as EMAIL --approve-as EMAIL]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Refusal
from accounts.organisations.services import find_organisation
from config.actors import two_people
from config.commands import Command as BaseCommand
from licensing.permissions.models import StatutoryScheme
from licensing.permissions.services import scheme_switching, schemes


class Command(BaseCommand):
    help = "Import a statutory scheme. It is off, and licenses nothing, until it is enabled."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON document of the scheme")
        parser.add_argument("--society", required=True, metavar="REF")
        switch = parser.add_mutually_exclusive_group()
        switch.add_argument("--enable", action="store_true", help="let permission follow it from now on")
        switch.add_argument("--disable", action="store_true", help="let permission follow it no longer")

        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who imports it and asks for the switch")
        parser.add_argument("--approve-as", metavar="EMAIL", help="another person, who switches it")
        parser.add_argument("--reason", default="import_scheme", help="why it is switched, with --as")

    @transaction.atomic
    def run(
        self,
        *,
        file: Path,
        society: str,
        enable: bool,
        disable: bool,
        email: str | None,
        approve_as: str | None,
        reason: str,
        **options: Any,
    ) -> dict[str, Any]:
        where = find_organisation(ref=society, kind="society", pointer="/society")
        actor, approver = two_people(email, approve_as, where)
        document = schemes.read_document(_read(file))
        imported = schemes.import_scheme(actor=actor, society=where, document=document)
        scheme = imported.scheme
        if (enable and not scheme.enabled) or (disable and scheme.enabled):
            scheme = _switched(scheme, actor, approver, reason, on=enable)
        outcomes = ("created", "updated", "unchanged")
        counts = {"read": 1} | {outcome: int(imported.outcome == outcome) for outcome in outcomes}
        return {"scheme": scheme.ref, "enabled": scheme.enabled, **counts, "rejected": 0, "rejects": []}


def _switched(
    scheme: StatutoryScheme, actor: Actor, approver: Actor | None, reason: str, *, on: bool
) -> StatutoryScheme:
    """By the operator at once; by a person's request, once a second person decides."""
    if actor.is_system:
        return (scheme_switching.enable if on else scheme_switching.disable)(actor=actor, scheme=scheme)
    scheme_switching.ask_to_switch(actor=actor, scheme=scheme, reason=reason)
    return scheme_switching.decide_switch(actor=approver, scheme=scheme, approve=True) if approver else scheme


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        detail = _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
        raise Refusal("file_unreadable", detail) from error
