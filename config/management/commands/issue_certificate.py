"""`issue_certificate LICENCE`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.identity.core import SYSTEM
from config.commands import Command as BaseCommand
from licensing.licences import services
from licensing.licences.services import certificates


class Command(BaseCommand):
    help = "Issue the certificate of a licence that was granted without one. Again, it prints the one that exists."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("licence", metavar="REF")

    def run(self, *, licence: str, **options: Any) -> dict[str, Any]:
        made = certificates.issue(licence=services.find_licence(actor=SYSTEM, ref=licence), actor=SYSTEM)
        return {
            "licence": licence,
            "code": made.code,
            "address": certificates.address(made.code),
            "sha256": made.sha256,
            "issued_at": made.issued_at.isoformat(),
        }
