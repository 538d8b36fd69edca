"""A reservation of something typed, found to be of a registered work: accepted as a reservation of that work."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Refusal
from licensing.permissions.models import Reservation
from licensing.permissions.services.reservations import supersede
from licensing.permissions.services.targets import Target
from licensing.repertoire.models import Work


@transaction.atomic
def accept_as_work(*, actor: Actor, reservation: Reservation, work: Work) -> Reservation:
    """Accept it as one of this work, in the place of what was typed. Who asked keeps the link by which they withdraw."""
    if reservation.target == Reservation.Target.PLACE:
        # A site holds more than one work: what else lies there would be reserved no longer.
        raise Refusal("a_place", _("A web address is accepted as it is: more than this work may lie there."))
    made = supersede(actor=actor, reservation=reservation, target=Target.work(work), proved=True)
    if reservation.key_sha256 and not made.key_sha256:
        made.key_sha256 = reservation.key_sha256
        made.save(update_fields=["key_sha256"])
    return made
