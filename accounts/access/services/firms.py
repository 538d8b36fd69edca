"""A firm that wants licences comes in by itself: somebody whose address is proved opens it and is its administrator."""

from __future__ import annotations

import secrets

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.access.models import Membership, Role
from accounts.access.services.members import add_member, create_organisation
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, Forbidden, Reference, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


@transaction.atomic
def register_firm(*, actor: Actor, name: str, name_ko: str = "", country: str = "KR") -> Organisation:
    """A new licensee with the actor as its administrator. It can ask for licences; nobody has checked its name yet.

    Only for a person whose e-mail address is proved and who works for no organisation here, so that nobody buys from
    the society that they act for; that person's row is held, so that two clicks make one firm.
    """
    if actor.kind != "user" or actor.user_id is None:
        raise Forbidden(_("Only a person registers a firm."))
    person = User.objects.select_for_update().get(pk=actor.user_id)
    if not EmailAddress.objects.filter(user=person, email__iexact=person.email, verified=True).exists():
        raise Forbidden(
            _("Confirm your e-mail address first: open the link that we sent you."), code="email_not_proved"
        )
    held = Membership.objects.select_related("organisation").filter(user=person).order_by("pk").first()
    if held is not None:
        detail = _("You act for %(organisation)s already. Ask its administrator, or use another e-mail address.")
        raise Conflict("acts_for_another", detail % {"organisation": held.organisation})
    said = {"name": _name(name, "/name"), "name_ko": _name(name_ko, "/name_ko", optional=True)}
    _check_not_public(said)
    ref = "FIRM-" + "".join(secrets.choice(_LETTERS) for _n in range(8))
    firm = create_organisation(actor=SYSTEM, ref=ref, kind=Organisation.Kind.LICENSEE, country=country, **said)
    add_member(actor=SYSTEM, user=person, organisation=firm, role=Role.ADMINISTRATOR)
    record(
        actor=actor,
        verb="organisation.registered",
        object=Reference("organisation", firm.pk),
        organisation_id=firm.pk,
        data={"ref": firm.ref},
    )
    return firm


def _name(text: str, pointer: str, *, optional: bool = False) -> str:
    said = " ".join(text.split())
    if (not said and not optional) or len(said) > 200 or (said and not said.isprintable()):
        raise Refusal("bad_name", _("Write a name of at most 200 printable characters."), pointer=pointer)
    return said


def _check_not_public(said: dict[str, str]) -> None:
    """Nobody takes the name of a society or a rate body."""
    names = [name for name in said.values() if name]
    taken = Q()
    for name in names:
        taken |= Q(name__iexact=name) | Q(name_ko__iexact=name) | Q(ref__iexact=name)
    public = [Organisation.Kind.SOCIETY, Organisation.Kind.RATE_BODY]
    if Organisation.objects.filter(taken, kind__in=public).exists():
        raise Conflict("name_is_taken", _("A society or rate body has this name."), pointer="/name")
