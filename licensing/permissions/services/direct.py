"""Licences that holders gave a licensee themselves, as they told the society: recorded, and ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.licences.services import checked_codes, checked_territory
from licensing.permissions.core import Grant, Span
from licensing.permissions.models import DirectLicence
from licensing.permissions.services.mandates import ANYTHING
from licensing.repertoire.models import Holder

PERMISSION = "mandates.manage"


def grants_to(*, licensee_id: int, society_id: int) -> list[tuple[int, Grant]]:
    """What members of a society licensed to a firm themselves: (holder, what they allowed)."""
    given = DirectLicence.objects.filter(licensee_id=licensee_id, holder__society_id=society_id)
    return [
        (d.holder_id, Grant(d.uses, d.kinds, d.territory, Span(d.valid.lower or dt.date.min, d.valid.upper)))
        for d in given
    ]


@transaction.atomic
def grant_direct_licence(
    *,
    actor: Actor,
    holder: Holder,
    licensee: Organisation,
    uses: Collection[str],
    valid_from: dt.date,
    valid_to: dt.date | None = None,
    kinds: Collection[str] = ANYTHING,
    territory: Collection[str] = ANYTHING,
) -> DirectLicence:
    """Record that a member licensed this licensee without the society. `valid_to` is the first day after it.

    The same licence again gives the one that exists.
    """
    _check_society(actor, holder)
    if licensee.kind != Organisation.Kind.LICENSEE:
        detail = _("%(organisation)s is no licensee.") % {"organisation": licensee.ref}
        raise Refusal("not_a_licensee", detail, pointer="/licensee")
    if valid_to is not None and valid_to <= valid_from:
        raise Refusal("empty_term", _("The end must be later than the start."), pointer="/valid_to")
    wanted = {
        "uses": checked_codes(uses, terms.USES, "/uses"),
        "kinds": checked_codes(kinds, terms.KINDS, "/kinds"),
        "territory": checked_territory(territory),
        "valid": DateRange(valid_from, valid_to),
    }
    Holder.objects.select_for_update().get(pk=holder.pk)  # two of the same at once become one
    same = DirectLicence.objects.filter(holder=holder, licensee=licensee, **wanted).first()
    if same:
        return same
    made = DirectLicence.objects.create(holder=holder, licensee=licensee, **wanted)
    _note(actor, "granted", made, uses=made.uses, since=valid_from, until=valid_to)
    return made


@transaction.atomic
def end_direct_licence(*, actor: Actor, licence: DirectLicence, on: dt.date) -> DirectLicence:
    """End it: `on` is the first day without it. What was used before stays licensed."""
    related = DirectLicence.objects.select_related("holder", "licensee")
    licence = related.select_for_update(of=("self",)).get(pk=licence.pk)
    _check_society(actor, licence.holder)
    since, until = licence.valid.lower, licence.valid.upper
    if until == on:
        return licence
    if (since is not None and on <= since) or (until is not None and on > until):
        detail = _("The end must lie within its term, after %(first)s.") % {"first": since}
        raise Refusal("outside_term", detail, pointer="/on")
    licence.valid = DateRange(since, on)
    licence.save(update_fields=["valid"])
    _note(actor, "ended", licence, on=on)
    return licence


def find_direct_licence(*, actor: Actor, licence_id: int) -> DirectLicence:
    """One of the society's members' own, or NotFound."""
    given = DirectLicence.objects.select_related("holder", "licensee")
    found = given.filter(pk=licence_id, holder__society_id=actor.organisation_id).first()
    if found is None:
        raise NotFound(_("There is no such licence."))
    return found


def _check_society(actor: Actor, holder: Holder) -> None:
    if not actor.is_system and actor.organisation_id != holder.society_id:
        raise NotFound(_("There is no such holder."))
    actor.require(PERMISSION)


def _note(actor: Actor, what: str, licence: DirectLicence, **data: Any) -> None:
    said = {name: str(value) if isinstance(value, dt.date) else value for name, value in data.items()}
    record(
        actor=actor,
        verb=f"direct_licence.{what}",
        object=Reference("direct_licence", licence.pk),
        organisation_id=licence.holder.society_id,
        data={"holder": licence.holder.ref, "licensee": licence.licensee.ref} | said,
    )
