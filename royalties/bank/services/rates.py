"""Exchange rates, typed or given by a bank, each with its day and source. A better one is a new row; none is changed."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.currencies import MINOR_DIGITS
from royalties.bank.models import ExchangeRate
from royalties.bank.services.guards import enter, who

OLDEST: Final = 7  # days: banks publish none on holidays


@transaction.atomic
def record_rate(
    *, actor: Actor, society: Organisation, base: str, quote: str, rate: Decimal, on: datetime.date, source: str
) -> ExchangeRate:
    """Record that one unit of `base` was worth so many units of `quote` on a day, by this source. The same again is the same row."""
    enter(actor, society.pk)
    if base == quote or base not in MINOR_DIGITS or quote not in MINOR_DIGITS:
        raise Refusal("bad_currencies", _("A rate is between two different currencies."), pointer="/base")
    if not 0 < rate < 10**10 or rate != round(rate, 10):
        raise Refusal("bad_rate", _("A rate is above zero and has at most ten decimals."), pointer="/rate")
    said = source.strip()[:200]
    if not said:
        raise Refusal("no_source", _("Say where the rate is from."), pointer="/source")
    last = (
        ExchangeRate.objects.filter(society=society, base=base, quote=quote, on=on, source=said).order_by("-id").first()
    )
    if last is not None and last.rate == rate:
        return last
    made = ExchangeRate.objects.create(
        society=society, base=base, quote=quote, rate=rate, on=on, source=said, recorded_by=who(actor)
    )
    data = {"base": base, "quote": quote, "rate": f"{rate:f}", "on": on.isoformat(), "source": said}
    about = Reference("exchange_rate", made.pk)
    record(actor=actor, verb="exchange_rate.recorded", object=about, organisation_id=society.pk, data=data)
    return made


def rate_for(*, society_id: int, base: str, quote: str, on: datetime.date) -> ExchangeRate | None:
    """The rate of a day: the last recorded one of that day, or of one of the seven days before."""
    since = on - datetime.timedelta(days=OLDEST)
    found = ExchangeRate.objects.filter(society_id=society_id, base=base, quote=quote, on__range=(since, on))
    return found.order_by("-on", "-id").first()
