"""Who may reserve what, and withdraw it, and whose identity is known."""

from __future__ import annotations

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Forbidden, NotFound
from accounts.organisations.models import Organisation
from licensing.permissions.core import places
from licensing.permissions.models import Reservation, Site
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Identifier, Share


def check_maker(actor: Actor, society: Organisation, target: Target, claimant: Claimant) -> bool:
    """Whether the actor may reserve this. Answers True for a member about what is theirs: their identity is known."""
    _refuse_test(actor)
    if actor.is_system:
        return False
    if actor.is_society:
        if actor.organisation_id != society.pk:
            raise NotFound(_("There is no such society."))
        actor.require("reservations.manage")
        return False
    actor.require("reservations.make")
    if claimant.holder is None or claimant.holder.pk not in actor.holder_ids:
        raise Forbidden(_("A member reserves in their own name."))
    return _is_theirs(actor, target)


def _refuse_test(actor: Actor) -> None:
    if actor.sandbox:
        raise Forbidden(_("A test token changes no reservations: they count for everybody."))


def _is_theirs(actor: Actor, target: Target) -> bool:
    """A member reserves works of theirs; what is not known to be theirs (any more) is checked like anyone's."""
    if target.kind == Reservation.Target.HOLDER:
        if target.columns["holder"].pk not in actor.holder_ids:
            raise NotFound(_("There is no such holder."))
        return True
    if target.kind == Reservation.Target.WORK:
        shares = Share.objects.filter(work=target.columns["work"], holder_id__in=actor.holder_ids)
        if not shares.exists():
            raise NotFound(_("There is no such work."))
        return shares.filter(valid__overlap=_from_today()).exists()
    if target.kind == Reservation.Target.PLACE:
        host = target.columns["place"].partition("/")[0]
        above = list(places.ancestors(host))
        return Site.objects.filter(holder_id__in=actor.holder_ids, proved_at__isnull=False, host__in=above).exists()
    named = Identifier.objects.filter(scheme=target.columns["scheme"], value=target.columns["value"])
    theirs = Share.objects.filter(holder_id__in=actor.holder_ids, valid__overlap=_from_today())
    return named.filter(work__in=theirs.values("work_id")).exists()


def _from_today() -> DateRange:
    """Shares that are held, or will be."""
    return DateRange(timezone.localdate(), None)


def may_withdraw(actor: Actor, reservation: Reservation) -> bool:
    _refuse_test(actor)
    if actor.is_system:
        return True
    if actor.is_society:
        return actor.organisation_id == reservation.society_id and actor.can("reservations.manage")
    return reservation.claimant_holder_id in actor.holder_ids and actor.can("reservations.make")


def check_staff(actor: Actor, reservation: Reservation) -> None:
    _refuse_test(actor)
    if not actor.is_system and actor.organisation_id != reservation.society_id:
        raise NotFound(_("There is no such reservation."))
    actor.require("reservations.manage")
