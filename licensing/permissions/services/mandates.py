"""Mandates granted and ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from licensing import terms
from licensing.licences.services import checked_codes, checked_territory
from licensing.permissions.models import Mandate
from licensing.repertoire.models import Holder

ANYTHING = (terms.ANY,)


@transaction.atomic
def grant_mandate(
    *,
    actor: Actor,
    holder: Holder,
    uses: Collection[str],
    valid_from: dt.date,
    valid_to: dt.date | None = None,
    kinds: Collection[str] = ANYTHING,
    territory: Collection[str] = ANYTHING,
) -> Mandate:
    """Record that a holder authorises their society: by its staff, or by whoever signs for the holder.

    `valid_to` is the first day after the mandate.

    The same mandate again gives the one that exists; one that covers a use, kind, place and day which another mandate
    of the holder covers already is a Conflict.
    """
    _check_holder(actor, holder)
    if valid_to is not None and valid_to <= valid_from:
        detail = _("The end is the first day after the mandate: it must be later than the start.")
        raise Refusal("empty_term", detail, pointer="/valid_to")
    wanted = {
        "uses": checked_codes(uses, terms.USES, "/uses"),
        "kinds": checked_codes(kinds, terms.KINDS, "/kinds"),
        "territory": checked_territory(territory),
        "valid": DateRange(valid_from, valid_to),
    }
    same = Mandate.objects.filter(society_id=holder.society_id, holder=holder, **wanted).first()
    if same:
        return same
    with _overlap_refused():
        mandate = Mandate.objects.create(society_id=holder.society_id, holder=holder, **wanted)
    _note(actor, "granted", mandate, uses=mandate.uses, since=valid_from, until=valid_to)
    return mandate


@transaction.atomic
def end_mandate(*, actor: Actor, mandate: Mandate, on: dt.date) -> Mandate:
    """End a mandate: `on` is the first day without it. What was used before stays mandated.

    The first day of a mandate would undo it altogether, which is no end, so `on` must be later.
    """
    _check_society(actor, mandate.holder)
    return close(actor=actor, mandate=mandate, on=on)


def close(*, actor: Actor, mandate: Mandate, on: dt.date) -> Mandate:
    """End it, in the transaction of a verb that has checked whether the actor may, and may on that day."""
    mandate = Mandate.objects.select_for_update(of=("self",)).select_related("holder").get(pk=mandate.pk)
    since, until = mandate.valid.lower, mandate.valid.upper
    if until == on:
        return mandate
    if on <= since or (until is not None and on > until):
        detail = _("The end must lie within the mandate, after %(first)s.") % {"first": since}
        raise Refusal("outside_term", detail, pointer="/on")
    mandate.valid = DateRange(since, on)
    mandate.save(update_fields=["valid"])
    _note(actor, "ended", mandate, on=on)
    return mandate


@contextmanager
def _overlap_refused() -> Iterator[None]:
    """Turn the database's refusal of two mandates over the same things into a Conflict."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "mandate_covers_a_use_once_a_day" not in str(error):
            raise
        detail = _(
            "Another mandate of this holder covers some of these uses, kinds, territories and days. End that one first."
        )
        raise Conflict("mandate_overlaps", detail) from error


def _check_society(actor: Actor, holder: Holder) -> None:
    if not actor.is_system and actor.organisation_id != holder.society_id:
        raise NotFound(_("There is no such holder."))
    actor.require("mandates.manage")


def _check_holder(actor: Actor, holder: Holder) -> None:
    """A holder's own people need the right to sign; the society's staff the right to manage mandates."""
    if holder.pk in actor.holder_ids:
        actor.require("mandates.sign")
    else:
        _check_society(actor, holder)


def _note(actor: Actor, what: str, mandate: Mandate, **data: Any) -> None:
    record(
        actor=actor,
        verb=f"mandate.{what}",
        object=Reference("mandate", mandate.pk),
        organisation_id=mandate.society_id,
        data={"holder": mandate.holder.ref} | {k: str(v) if isinstance(v, dt.date) else v for k, v in data.items()},
    )
