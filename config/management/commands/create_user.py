"""Give a person a role, or a holder to act for."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import transaction

from accounts.access import services
from accounts.access.core import REPRESENTATIONS, roles_of
from accounts.access.models import Role
from accounts.identity import links
from accounts.identity.core import SYSTEM, NotFound, Refusal, say
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.commands import Command as Base
from licensing.repertoire.models import Holder
from licensing.repertoire.services import represent


class Command(Base):
    help = (
        "Create a person with a role, or give a known person another one. Prints a one-time sign-in link, good for 24 "
        "hours, or sets --password. Roles: those of the organisation's kind; or member, full, finance, catalogue with "
        "--holder, for somebody who acts for a rights holder of that society."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--organisation", required=True, metavar="REF")
        parser.add_argument("--role", required=True, choices=sorted({*Role.values, *REPRESENTATIONS}))
        parser.add_argument("--holder", metavar="REF", help="the rights holder, by its ref in the society")
        parser.add_argument("--password", help="set it now; only for a person who is new")
        parser.add_argument("--name", default="")
        parser.add_argument("--language", choices=["en", "ko"], default="en")

    def run(self, *, email: str, organisation: str, role: str, **options: Any) -> dict[str, Any]:
        where = Organisation.objects.filter(ref=organisation).first()
        if where is None:
            raise NotFound(
                say(
                    "There is no organisation “{organisation}”. Create it with create_organisation first.",
                    organisation=organisation,
                )
            )
        known = User.objects.filter(email__iexact=email.strip()).exists()
        user = self._give(where, email, role, **options)
        result = {"user": user.email, "id": user.pk, "organisation": where.ref, "role": role, "created": not known}
        if options["holder"]:
            result["holder"] = options["holder"]
        if options["password"] and not known:
            self._warn_of_weakness(options["password"], user)
        elif not user.has_usable_password() or user.last_login is None:
            result["sign_in_link"] = links.url_of(user)
        return result

    @transaction.atomic
    def _give(
        self,
        where: Organisation,
        email: str,
        role: str,
        *,
        holder: str | None,
        password: str | None,
        name: str,
        language: str,
    ) -> User:
        person: dict[str, Any] = {
            "actor": SYSTEM,
            "email": email,
            "password": password,
            "name": name,
            "language": language,
        }
        if holder is None:
            if role not in roles_of(where.kind):
                raise Refusal(
                    "unknown_role", f"{_known_roles(where)} To act for a rights holder, name it with --holder."
                )
            return services.create_user(organisation=where, role=role, **person)
        if role not in REPRESENTATIONS:
            raise Refusal(
                "unknown_role",
                say("Somebody acts for a rights holder as one of: {known}.", known=", ".join(REPRESENTATIONS)),
            )
        found = Holder.objects.filter(society=where, ref=holder).first()
        if found is None:
            raise NotFound(
                say(
                    "{society} has no member “{holder}”. Import it with import_holders first.",
                    society=where.ref,
                    holder=holder,
                )
            )
        user = services.invite(organisation=where, **person)
        represent(actor=SYSTEM, user=user, holder=found, scope=role)
        return user

    def _warn_of_weakness(self, password: str, user: User) -> None:
        """The operator decides, but is told."""
        try:
            validate_password(password, user)
        except ValidationError as exc:
            self.stderr.write("This password is weak: " + " ".join(exc.messages))


def _known_roles(where: Organisation) -> str:
    return f"Roles of a {where.get_kind_display()}: {', '.join(roles_of(where.kind))}."
