"""`accept_declaration ID --as EMAIL`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from accounts.identity.core import NotFound
from config.actors import actor_by_email
from config.commands import Command as BaseCommand
from config.management.commands.declare import shown
from licensing.declarations import services
from licensing.declarations.models import Declaration


class Command(BaseCommand):
    help = "Accept a submitted declaration as a person of the society, open questions or not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("declaration", type=int, metavar="ID")
        parser.add_argument("--as", dest="email", required=True, metavar="EMAIL")

    def run(self, *, declaration: int, email: str, **options: Any) -> dict[str, Any]:
        found = Declaration.objects.select_related("licence__society").filter(pk=declaration).first()
        if found is None:
            raise NotFound(_("There is no such declaration."))
        actor = actor_by_email(email, found.licence.society)
        return shown(services.accept(actor=actor, declaration=found))
