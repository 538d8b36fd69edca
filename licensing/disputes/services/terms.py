"""How long who claims has to answer: a society's own rule, from a day on."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.disputes import core
from licensing.disputes.models import DisputeTerms
from licensing.intake.importing import check_society

STAFF = "works.import"


def terms_on(society_id: int, day: datetime.date) -> DisputeTerms:
    """The rule in force; where a society has laid down none, thirty days and two reminders."""
    found = DisputeTerms.objects.filter(society_id=society_id, valid_from__lte=day).order_by("-valid_from").first()
    return found or DisputeTerms(society_id=society_id, valid_from=day)


@transaction.atomic
def set_terms(
    *, actor: Actor, society: Organisation, answer_days: int, reminders: Sequence[int], valid_from: datetime.date
) -> DisputeTerms:
    """Lay down another rule from a day on. Conflicts that are open keep the day that their claimants were told."""
    check_society(actor, society, STAFF)
    if not core.LEAST_DAYS <= answer_days <= core.MOST_DAYS:
        detail = _("Leave who claims %(least)s to %(most)s days.") % {"least": core.LEAST_DAYS, "most": core.MOST_DAYS}
        raise Refusal("bad_days", detail, pointer="/answer_days")
    before = sorted(set(reminders), reverse=True)
    if len(before) > 5 or any(not 1 <= each < answer_days for each in before):
        detail = _("Name at most five reminders, each some days before the answer is due.")
        raise Refusal("bad_reminders", detail, pointer="/reminders")
    fields = {"answer_days": answer_days, "reminders": before}
    made, new = DisputeTerms.objects.get_or_create(society=society, valid_from=valid_from, defaults=fields)
    if not new and (made.answer_days, made.reminders) != (answer_days, before):
        detail = _("There is a rule from this day on already. Choose a later day.")
        raise Conflict("terms_exist", detail, pointer="/valid_from")
    if new:
        data = {"answer days": answer_days, "reminders": before, "valid from": valid_from.isoformat()}
        record(
            actor=actor,
            verb="dispute_terms.set",
            object=Reference("society", society.pk),
            organisation_id=society.pk,
            data=data,
        )
    return made
