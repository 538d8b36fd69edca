"""A society publishes a proposal with its reasons and its predicted effect: a consultation opens, put to a rate body."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.services import telling
from licensing.tariffs.services.common import already_decided, check_rate_body, check_society, held, move, note, said

Status = TariffVersion.Status
MOST_DAYS = 366  # of a consultation, and from its end to the decision


@transaction.atomic
def publish(
    *,
    actor: Actor,
    version: TariffVersion,
    body: Organisation,
    reasons: str,
    effect: str,
    closes: datetime.date,
    decide_by: datetime.date,
) -> TariffVersion:
    """Make a draft public and ask everybody concerned. From now on it is fixed.

    Comments count from today up to, not including, `closes`; the rate body is asked to decide by `decide_by`.
    """
    if not TariffVersion.objects.visible_to(actor).filter(pk=version.pk).exists():
        raise NotFound(_("There is no such version."))
    version = held(version)
    society = version.tariff.society
    check_society(actor, society)
    check_rate_body(body, society)
    today = timezone.localdate()
    reasons, effect = said(reasons, pointer="/reasons"), said(effect, pointer="/effect")
    if not reasons:
        raise Refusal("reason_missing", _("Say why these rates are right: everybody reads it."), pointer="/reasons")
    if not effect:
        raise Refusal("effect_missing", _("Say what would change, and for whom."), pointer="/effect")
    _check_days(today, closes, decide_by)
    if version.status not in (Status.DRAFT, Status.PROPOSED) or version.published_at is not None:
        raise Conflict("already_published", _("This version was published before."))
    moved = move(
        version,
        (Status.DRAFT, Status.PROPOSED),
        Status.PROPOSED,
        addressed_to=body,
        reasons=reasons,
        effect=effect,
        published_at=timezone.now(),
        consultation=DateRange(today, closes),
        decide_by=decide_by,
    )
    if not moved:
        raise Conflict("already_published", _("This version was published before."))
    version.refresh_from_db()
    days = {"since": today.isoformat(), "until": closes.isoformat(), "due on": decide_by.isoformat()}
    note(actor, "published", version, body=body.ref, sha256=version.sha256, **days)
    telling.of_publication(version)
    return version


@transaction.atomic
def extend(*, actor: Actor, version: TariffVersion, closes: datetime.date) -> TariffVersion:
    """Leave an open consultation open for longer; the decision is due as many days later. Never shorter.

    The society that proposes may, and the rate body that will decide.
    """
    version = held(version)
    if not (actor.can("tariffs.determine") and actor.organisation_id == version.addressed_to_id):
        check_society(actor, version.tariff.society)
    today, window = timezone.localdate(), version.consultation
    if window is None or version.status not in (Status.PROPOSED, Status.INTERIM) or today >= window.upper:
        raise Conflict("consultation_closed", _("The consultation is not open, so it cannot be made longer."))
    if closes <= window.upper:
        raise Refusal("not_longer", _("A consultation is made longer, never shorter."), pointer="/closes")
    due = (version.decide_by or window.upper) + (closes - window.upper)
    _check_days(window.lower, closes, due)
    open_still = TariffVersion.objects.filter(pk=version.pk, consultation=window, status=version.status)
    if open_still.update(consultation=DateRange(window.lower, closes), decide_by=due) != 1:
        raise already_decided()
    note(actor, "extended", version, until=closes.isoformat(), **{"due on": due.isoformat()})
    version.refresh_from_db()
    return version


@transaction.atomic
def withdraw(*, actor: Actor, version: TariffVersion, reason: str) -> TariffVersion:
    """A society takes its proposal back before it is decided. It stays public, with the reason."""
    version = held(version)
    check_society(actor, version.tariff.society)
    if version.status == Status.DRAFT:
        raise Conflict("not_published", _("A draft is discarded, not withdrawn."))
    reason = said(reason, pointer="/reason", most=2000)
    if not reason:
        raise Refusal("reason_missing", _("Say why you take it back: everybody reads it."), pointer="/reason")
    if not move(version, (Status.PROPOSED,), Status.WITHDRAWN):
        raise already_decided()
    note(actor, "withdrawn", version, reason=reason)
    version.refresh_from_db()
    telling.of_withdrawal(version)
    return version


def _check_days(opens: datetime.date, closes: datetime.date, decide_by: datetime.date) -> None:
    least = settings.CONSULTATION_DAYS_LEAST
    days = (closes - opens).days
    if not least <= days <= MOST_DAYS:
        raise Refusal(
            "consultation_length",
            _("A consultation lasts from %(least)s to %(most)s days.") % {"least": least, "most": MOST_DAYS},
            pointer="/closes",
        )
    if not 0 < (decide_by - closes).days <= MOST_DAYS:
        raise Refusal(
            "decision_day",
            _("The rate body decides after the consultation has closed, within a year."),
            pointer="/decide_by",
        )
