"""What a society asks for uses that nothing allowed, from a day on."""

from __future__ import annotations

import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.compliance import core
from licensing.compliance.models import CompensationTerms
from licensing.tariffs.currencies import MINOR_DIGITS


@transaction.atomic
def set_compensation(
    *,
    actor: Actor,
    society: Organisation,
    multiple: Decimal,
    valid_from: datetime.date,
    per_work: int | None = None,
    currency: str = "KRW",
    answer_days: int = core.ANSWER_DAYS,
    source: str = "",
) -> CompensationTerms:
    """Lay down what is asked for uses from this day on. Cases that are open keep what they were opened with.

    The same terms for the same day again: those that are there. Other terms for that day: a Conflict.
    """
    if not actor.is_system and actor.organisation_id != society.pk:
        raise NotFound(_("There is no such society."))
    actor.require("cases.manage")
    _check(multiple, per_work, currency, answer_days)
    asked = {
        "multiple": multiple, "amount_per_work": per_work, "currency": currency, "answer_days": answer_days,
        "source": source.strip()[:500],
    }  # fmt: skip
    terms, new = CompensationTerms.objects.get_or_create(society=society, valid_from=valid_from, defaults=asked)
    if not new and any(getattr(terms, name) != value for name, value in asked.items()):
        detail = _("Other terms start on %(day)s already. Terms are not changed: set new ones from a later day.")
        raise Conflict("terms_are_set", detail % {"day": valid_from}, pointer="/valid_from")
    if new:
        data = {
            "multiple": str(multiple),
            "per work": per_work,
            "currency": currency,
            "valid from": valid_from.isoformat(),
        }
        about = Reference("compensation_terms", terms.pk)
        record(actor=actor, verb="compensation.set", object=about, organisation_id=society.pk, data=data)
    return terms


def _check(multiple: Decimal, per_work: int | None, currency: str, answer_days: int) -> None:
    if not 0 <= multiple < 1000 or multiple != round(multiple, 3):
        detail = _("The multiple lies between 0 and 999.999 and has at most three decimals.")
        raise Refusal("bad_multiple", detail, pointer="/multiple")
    if per_work is not None and not 0 <= per_work <= core.MAX_AMOUNT // 1000:
        detail = _("An amount a work is a whole number of minor units, zero or more.")
        raise Refusal("bad_amount", detail, pointer="/per_work")
    if currency not in MINOR_DIGITS:
        detail = _("The currency “%(code)s” is not known.") % {"code": currency[:10]}
        raise Refusal("unknown_currency", detail, pointer="/currency")
    if not 1 <= answer_days <= 365:
        raise Refusal("bad_days", _("The days to answer lie between 1 and 365."), pointer="/answer_days")
