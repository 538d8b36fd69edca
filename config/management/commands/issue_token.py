"""Issue a token for a program."""

from __future__ import annotations

import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.access import services
from accounts.identity.core import SYSTEM, NotFound, say
from accounts.organisations.models import Organisation
from config.commands import Command as Base


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3650:
        raise ValueError
    return days


class Command(Base):
    help = "Issue a token for an organisation's programs and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", required=True, metavar="REF")
        parser.add_argument(
            "--scopes", required=True, help="for example declarations.declare;permissions.check, declarations.*, or *"
        )
        parser.add_argument("--sandbox", action="store_true", help="makes and sees test data only (jsk_test_…)")
        parser.add_argument("--name", default="", help="what it is for")
        parser.add_argument("--days", type=_days, help="how long it is good (default: until revoked)")

    def run(self, *, organisation: str, scopes: str, sandbox: bool, name: str, days: int | None) -> dict[str, Any]:
        where = Organisation.objects.filter(ref=organisation).first()
        if where is None:
            raise NotFound(
                say(
                    "There is no organisation “{organisation}”. Create it with create_organisation first.",
                    organisation=organisation,
                )
            )
        expires_at = timezone.now() + datetime.timedelta(days=days) if days is not None else None
        token, text = services.issue_token(
            actor=SYSTEM, organisation=where, scopes=scopes, sandbox=sandbox, name=name, expires_at=expires_at
        )
        return {
            "token": text, "prefix": token.prefix, "organisation": where.ref, "scopes": token.scopes, "sandbox": sandbox,
            "expires_at": expires_at,
        }  # fmt: skip
