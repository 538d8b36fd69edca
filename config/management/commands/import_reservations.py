"""`import_reservations FILE --society REF [--holder REF] [--as EMAIL]`"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, Forbidden, NotFound
from accounts.organisations.models import Organisation
from accounts.organisations.services import find_organisation
from config.actors import actor_by_email
from config.imports import ImportCommand
from licensing.permissions.services.importing_reservations import import_reservations
from licensing.repertoire.models import Holder


class Command(ImportCommand):
    help = "Import a reservations file: what stands already changes nothing, bad rows are reported with their numbers."
    service = staticmethod(import_reservations)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--holder", metavar="REF", help="the member who reserves")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who imports it (default: the system)")

    def run(
        self, *, file: Path, society: str, holder: str | None = None, email: str | None = None, **options: Any
    ) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        member = Holder.objects.filter(society=owner, ref=holder).first() if holder else None
        if holder and member is None:
            raise NotFound(_("There is no such holder."), pointer="/holder")
        return self.imported(file, owner, actor=_actor(email, owner), holder=member)


def _actor(email: str | None, society: Organisation) -> Actor:
    """The society's staff, or a member as such."""
    if email is None:
        return SYSTEM
    try:
        return actor_by_email(email, society)
    except Forbidden:
        return actor_by_email(email)
