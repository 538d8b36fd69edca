"""Members, and the people who act for them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.intake.importing import check_society
from licensing.repertoire.identifiers import normalise
from licensing.repertoire.importing.holders import TAX_STATUSES, countries
from licensing.repertoire.models import Holder, Representation
from licensing.repertoire.services.common import Errors, check_ref, fill, saved


def holder_ids_of(user: User) -> frozenset[int]:
    """The holders for whom a person may act in any scope."""
    return frozenset(Representation.objects.filter(user=user).values_list("holder_id", flat=True))


@transaction.atomic
def represent(*, actor: Actor, user: User, holder: Holder, scope: str = Representation.Scope.MEMBER) -> Representation:
    """Let a person act for a holder in this scope; who already does has the scope changed."""
    check_society(actor, holder.society, "members.manage")
    if scope not in Representation.Scope.values:
        detail = _("Choose one of: %(known)s.") % {"known": ", ".join(Representation.Scope.values)}
        raise Refusal("unknown_scope", detail, pointer="/scope")
    found, created = Representation.objects.get_or_create(user=user, holder=holder, defaults={"scope": scope})
    if not created:
        if found.scope == scope:
            return found
        found.scope = scope
        found.save(update_fields=["scope"])
    record(
        actor=actor,
        verb="representation.set",
        object=Reference("representation", found.pk),
        organisation_id=holder.society_id,
        data={"user": user.pk, "holder": holder.ref, "scope": scope},
    )
    return found


@transaction.atomic
def save_holder(*, actor: Actor, society: Organisation, holder: Holder | None = None, **fields: Any) -> Holder:
    """Add a holder (`ref`, `name`, …), or change one; the ref of an existing one stays.

    Raises Refusal with an error for each bad field, Conflict when the ref is taken.
    """
    check_society(actor, society, "works.import")
    if holder is None:
        holder = Holder(society=society, ref=str(fields.pop("ref", "")).strip())
        check_ref(holder.ref, Holder.objects.filter(society=society, ref=holder.ref).exists())
    elif holder.society_id != society.pk:
        raise NotFound(_("There is no such holder."))
    errors = Errors()
    for scheme in ("ipi", "isni"):
        if fields.get(scheme):
            fields[scheme] = errors.value(scheme, normalise, scheme, fields[scheme])
    if fields.get("country") and fields["country"].upper() not in countries():
        errors.add("country", _("Write a country as two letters, such as KR."))
    if fields.get("tax_status") and fields["tax_status"] not in TAX_STATUSES:
        errors.add("tax_status", _("Choose one of: %(known)s.") % {"known": ", ".join(TAX_STATUSES)})
    fields |= {"country": str(fields.get("country") or holder.country).upper()}
    fill(holder, fields, errors)
    return saved(actor, "holder", holder, society)
