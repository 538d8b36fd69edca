"""`grant_direct_licence --society REF --holder REF --licensee REF --uses U;U --from DATE [--to DATE]`"""

from __future__ import annotations

import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, NotFound
from accounts.organisations.services import find_organisation
from config.commands import Command as BaseCommand
from licensing.permissions.services.direct import grant_direct_licence
from licensing.repertoire.models import Holder


class Command(BaseCommand):
    help = "Record that a member licensed a licensee directly. The same licence again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        day = datetime.date.fromisoformat
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--holder", required=True, metavar="REF", help="the member's reference")
        parser.add_argument("--licensee", required=True, metavar="REF")
        parser.add_argument("--uses", required=True, type=_codes, metavar="train;ground", help="separated by ; or *")
        parser.add_argument(
            "--kinds", type=_codes, default=["*"], metavar="web;book", help="separated by ; (default: *)"
        )
        parser.add_argument("--territory", type=_codes, default=["*"], metavar="KR", help="separated by ; (default: *)")
        parser.add_argument("--from", dest="valid_from", required=True, type=day, metavar="DATE")
        parser.add_argument("--to", dest="valid_to", type=day, metavar="DATE", help="first day after the term")

    def run(
        self, *, society: str, holder: str, licensee: str, uses: list[str], kinds: list[str], territory: list[str],
        valid_from: datetime.date, valid_to: datetime.date | None, **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        where = find_organisation(ref=society, kind="society", pointer="/society")
        member = Holder.objects.filter(society=where, ref=holder).first()
        if member is None:
            raise NotFound(_("You have no member with this reference."), pointer="/holder")
        given = grant_direct_licence(
            actor=SYSTEM,
            holder=member,
            licensee=find_organisation(ref=licensee, kind="licensee", pointer="/licensee"),
            uses=uses,
            kinds=kinds,
            territory=territory,
            valid_from=valid_from,
            valid_to=valid_to,
        )
        span = {"from": given.valid.lower, "to": given.valid.upper}
        return {"direct_licence": given.pk, "holder": member.ref, "licensee": licensee, "uses": given.uses, **span}


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(";") if code.strip()]
