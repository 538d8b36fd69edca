"""Both sides are reminded that a licence ends, in time to ask for its renewal."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import DateField, Exists, F, Func, IntegerField, OuterRef, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Greatest

from accounts.access.models import Membership
from accounts.notices.models import Notice
from licensing.licences import core
from licensing.licences.models import Licence, LicenceRequest
from licensing.licences.services import telling

OPEN: Final = (
    LicenceRequest.Status.SUBMITTED, LicenceRequest.Status.QUOTED, LicenceRequest.Status.OFFERED, LicenceRequest.Status.LICENSED,
)  # fmt: skip


def remind_of_renewals(*, today: datetime.date) -> int:
    """Tell of licences that end in 90, 60 or 30 days, or within the notice that was agreed, once each; how many.

    Nothing of those whose renewal is asked for, or that are followed by another licence already.
    """
    due = {}
    for licence in _ending(today):
        notice = licence.conditions.get("renewal_notice_days")
        threshold = core.reminder_due(licence.days_left, notice)
        if threshold is not None:
            due[f"licence-ends:{licence.pk}:{threshold}"] = licence
    told = _told(due)
    for key, licence in due.items():
        if key not in told:
            last = telling.last_day(licence.valid.upper)
            telling.tell_parties(licence, "ends", key=key, last=last, days=licence.days_left)
    return len(due.keys() - told)


def _ending(today: datetime.date) -> QuerySet[Any]:
    """Active licences whose first reminder has been reached, with the days that are left of them."""
    asked = LicenceRequest.objects.filter(renews=OuterRef("pk"), status__in=OPEN)
    followed = Licence.objects.filter(succeeds=OuterRef("pk"))
    end = Func(F("valid"), function="upper", output_field=DateField())
    days_left = Func(
        end, Value(today), template="(%(expressions)s)", arg_joiner=" - ", output_field=IntegerField()
    )  # date - date: whole days
    agreed = Cast(KeyTextTransform("renewal_notice_days", "conditions"), IntegerField())
    return (
        Licence.objects.filter(status=Licence.Status.ACTIVE, valid__endswith__gt=today)
        .annotate(days_left=days_left)
        .filter(days_left__lte=Greatest(Value(max(core.REMINDED)), Coalesce(agreed, Value(0))))
        .exclude(Exists(asked))
        .exclude(Exists(followed))
        .select_related("society", "licensee")
        .order_by("pk")
    )


def _told(due: Mapping[str, Licence]) -> set[str]:
    """Those of these reminders that somebody has got."""
    parties = {party for licence in due.values() for party in (licence.society_id, licence.licensee_id)}
    people = Membership.objects.filter(organisation_id__in=parties).values("user_id")
    return set(Notice.objects.filter(user_id__in=people, key__in=list(due)).values_list("key", flat=True))
