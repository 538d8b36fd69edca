"""What a requested licence costs: priced by the version in force, kept with its explanation, and valid for a while."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Refusal
from licensing import terms
from licensing.licences import expected
from licensing.licences.models import LicenceRequest, Quote
from licensing.licences.services import telling
from licensing.licences.services.common import check_party, check_society, note_request
from licensing.licences.services.following import check_before
from licensing.licences.services.granting import check_tier
from licensing.licences.services.pricing import check_known_tier, check_scope, version_on
from licensing.licences.services.requests import (
    MOST_TEXT,
    check_term_to_come,
    checked_text,
    move_request,
)
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.reading import BadDocument

Status = LicenceRequest.Status
MOST_DAYS: Final = 366


def price(
    *,
    tariff: Tariff,
    day: datetime.date,
    tier: str = "",
    uses: Collection[str] = (terms.ANY,),
    kinds: Collection[str] = (terms.ANY,),
    quantities: Sequence[Mapping[str, Any]] = (),
    bases: Mapping[str, int] | None = None,
) -> tuple[TariffVersion, core.Rating]:
    """What one billing period costs under the version that prices this day, with its explanation.

    Raises Refusal where there is no version, or it has no rates for this tier, use or kind. What has no price or lacks its
    base stands in the rating: `rating.require_billable()` refuses that.
    """
    try:
        figures, named = expected.read([dict(row) for row in quantities], dict(bases or {}))
    except BadDocument as bad:
        raise bad.translated(_) from None
    version = version_on(tariff, day)
    schedule = core.parse(version.document)
    check_known_tier(schedule, tier)
    check_scope(schedule, tier, uses, kinds)
    scope = core.Scope(uses=tuple(uses), kinds=tuple(kinds))
    return version, core.rate(schedule, quantities=figures, bases=named, tier=tier, scope=scope)


@transaction.atomic
def quote(
    *,
    actor: Actor,
    request: LicenceRequest,
    tier: str | None = None,
    quantities: Sequence[Mapping[str, Any]] | None = None,
    bases: Mapping[str, int] | None = None,
    valid_to: datetime.date,
    message: str = "",
    reason: str = "",
) -> Quote:
    """Quote a request, once more where an earlier quote ran out. `valid_to` is the first day on which it no longer holds.

    The society may set another tier or other figures than the firm named, as the evidence shows; it says why (`reason`).
    """
    check_party(actor, request)
    check_society(actor, request.society)
    check_valid_to(valid_to)
    check_term_to_come(request)
    check_before(request)
    found = {"tier": request.tier, "quantities": request.quantities, "bases": request.bases}
    if tier is not None:
        check_tier(tier)
    set_anew = {"tier": tier and tier.strip(), "quantities": quantities, "bases": bases}
    found |= {name: value for name, value in set_anew.items() if value is not None}
    if found["tier"] != request.tier and not (reason.strip() or message.strip()):
        detail = _("You set another size than the firm claims: say why.")
        raise Refusal("reason_missing", detail, pointer="/reason")
    said = "\n\n".join(filter(None, (checked_text(reason, "/reason"), checked_text(message, "/message"))))
    made = put_quote(actor, request, valid_to=valid_to, message=said[: 2 * MOST_TEXT], **found)
    moved = move_request(request, (Status.SUBMITTED, Status.QUOTED), Status.QUOTED)
    telling.tell_licensee(
        moved, "quoted", key=f"licence-quoted:{made.pk}", society=moved.society, last=telling.last_day(valid_to)
    )
    telling.publish_request(
        moved, "licence.quoted", key=f"licence.quoted:{made.pk}",
        amount=made.amount, currency=made.currency, valid_to=made.valid_to,
    )  # fmt: skip
    return made


def put_quote(
    actor: Actor,
    request: LicenceRequest,
    *,
    tier: str,
    quantities: Sequence[Mapping[str, Any]],
    bases: Mapping[str, int],
    valid_to: datetime.date,
    message: str = "",
) -> Quote:
    """Price a request and keep it, whoever may: the caller has asked."""
    version, rating = price(
        tariff=request.tariff, day=request.term.lower, tier=tier, uses=request.uses, kinds=request.kinds,
        quantities=quantities, bases=bases,
    )  # fmt: skip
    rating.require_billable()
    figures, named = expected.read([dict(row) for row in quantities], dict(bases))
    made = Quote.objects.create(
        request=request,
        version=version,
        tier=tier,
        quantities=expected.as_rows(figures),
        bases=named,
        rating=rating.as_data(),
        amount=rating.amount,
        currency=rating.currency,
        message=message,
        valid_to=valid_to,
        issued_at=timezone.now(),
        user_id=actor.user_id,
    )
    data = {"version": version.version, "amount": made.amount, "currency": made.currency, "until": valid_to.isoformat()}
    if tier != request.tier:
        data |= {"tier": tier, "claimed": request.tier, "reason": message[:2000]}
    note_request(actor, "licence_request.quoted", request, **data)
    return made


def check_valid_to(valid_to: datetime.date, pointer: str = "/valid_to") -> None:
    today = timezone.localdate()
    if not today < valid_to <= today + datetime.timedelta(days=MOST_DAYS):
        raise Refusal(
            "bad_valid_to",
            _("Choose a last day from today on, within a year."),
            pointer=pointer,
        )
