"""`import_rule FILE.json --society REF [--as EMAIL --approve-as EMAIL]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from accounts.organisations.services import find_organisation
from config.actors import two_people
from config.commands import Command as BaseCommand
from royalties.distribution import services
from royalties.distribution.core import read_text
from royalties.distribution.models import Rule


class Command(BaseCommand):
    help = "Import one version of a distribution rule. It is in force once a second person has approved it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON document of the rule's version")
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who imports it and asks for its approval")
        parser.add_argument("--approve-as", metavar="EMAIL", help="another person, who approves it")

    def run(
        self, *, file: Path, society: str, email: str | None, approve_as: str | None, **options: Any
    ) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        actor, approver = two_people(email, approve_as, owner)
        document = read_text(_read(file))
        known = Rule.objects.filter(society=owner).count()
        rule = services.import_rule(actor=actor, society=owner, document=document)
        created = Rule.objects.filter(society=owner).count() - known
        if email and rule.status == Rule.Status.PROPOSED:
            services.request_rule_approval(actor=actor, rule=rule)
        if approver and rule.status == Rule.Status.PROPOSED:
            rule = services.approve_rule(actor=approver, rule=rule)
        return {
            "rule": rule.ref,
            "version": rule.version,
            "status": rule.status,
            "valid_from": rule.valid.lower.isoformat(),
            "valid_to": rule.valid.upper and rule.valid.upper.isoformat(),
            "sha256": rule.sha256,
            "read": 1,
            "created": created,
            "unchanged": 1 - created,
        }


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refusal(
            "file_unreadable", _("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}
        ) from error
