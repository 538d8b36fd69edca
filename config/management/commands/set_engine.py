"""`set_engine SOCIETY duckdb|spark|default [--as EMAIL]`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from accounts.identity.core import SYSTEM
from accounts.organisations.services import find_organisation
from config.actors import actor_by_email
from config.commands import Command as BaseCommand
from licensing.engine import services


class Command(BaseCommand):
    help = "Set on which engine a society's declarations and runs are computed: DuckDB, Apache Spark, or the installation's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("society", metavar="SOCIETY", help="reference of the society")
        parser.add_argument("engine", choices=["duckdb", "spark", "default"], help="default: the setting ENGINE")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who sets it (default: the system)")

    def run(self, *, society: str, engine: str, email: str | None, **options: Any) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        actor = actor_by_email(email, owner) if email else SYSTEM
        now = services.choose(actor=actor, society=owner, engine="" if engine == "default" else engine)
        return {"society": owner.ref, "engine": now, "chosen": engine}
