"""Make an organisation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.access import services
from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from config.commands import Command as Base


class Command(Base):
    help = "Create a society, a licensee or a rate body. The same again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="a short name, unique in this installation: letters, digits, . _ -")
        parser.add_argument("--kind", required=True, choices=Organisation.Kind.values)
        parser.add_argument("--name", required=True)
        parser.add_argument("--name-ko", default="", help="the name in Korean")
        parser.add_argument("--country", default="KR", help="two letters (ISO 3166)")

    def run(self, *, ref: str, kind: str, name: str, name_ko: str, country: str) -> dict[str, Any]:
        organisation = services.create_organisation(
            actor=SYSTEM, ref=ref, kind=kind, name=name, name_ko=name_ko, country=country
        )
        return {
            "organisation": organisation.ref,
            "id": organisation.pk,
            "kind": organisation.kind,
            "name": organisation.name,
        }
