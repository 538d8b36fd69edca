"""Duties to report use: made ahead from a licence's conditions, met by declarations, or settled by a person's word.

Making, cutting and settling are statements over sets: safe to run twice, and by two workers at once. A day of a licence
is in one duty at most (`report_duty_is_one_a_day`), so a second INSERT of the same periods does nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.declarations import calendar
from licensing.declarations.models import ReportDuty
from licensing.declarations.models.duties import ReportDutyQuerySet
from licensing.declarations.services.common import require_declarant
from licensing.licences.conditions import Conditions
from licensing.licences.core import LICENSING
from licensing.tariffs.periods import months_after

MOST_REASON: Final = 500
_WITHIN: Final = Conditions().report_within_days
Status = ReportDuty.Status

# Each period of each licence that licenses and has reporting periods, as `calendar.periods_of` counts them; those that
# begin before a day.
_MAKE: Final = """
INSERT INTO licensing_reportduty (licence_id, period, due_on, status, reason, created_at)
SELECT x.id, daterange(x.first_day, x.end_day), x.end_day - 1 + x.within, 'open', '', now()
FROM (
  SELECT l.id, coalesce((l.conditions->>'report_within_days')::int, %(within)s) AS within,
         (lower(l.valid) + make_interval(months => n.number * m.months))::date AS first_day,
         least(upper(l.valid), (lower(l.valid) + make_interval(months => (n.number + 1) * m.months))::date) AS end_day
  FROM licensing_licence l
  CROSS JOIN LATERAL (SELECT (l.conditions->>'reporting_months')::int AS months) m
  CROSS JOIN LATERAL (SELECT age(%(horizon)s::date, lower(l.valid)) AS term) a
  CROSS JOIN LATERAL generate_series(0,
    (extract(year FROM a.term) * 12 + extract(month FROM a.term))::int / nullif(m.months, 0) + 1) n(number)
  WHERE l.status = ANY(%(licensing)s) AND m.months > 0 AND lower(l.valid) < %(horizon)s
) x
WHERE x.first_day < %(horizon)s AND x.first_day < x.end_day
  AND NOT EXISTS (SELECT FROM licensing_reportduty d
                  WHERE d.licence_id = x.id AND d.period && daterange(x.first_day, x.end_day))
ORDER BY x.id, x.first_day
ON CONFLICT DO NOTHING
"""
# A term that ended early (terminated, amended) takes its open duties with it: those beyond it go, the last one is cut
# and due by its new end, though never in less than two weeks from now, nor later than before.
_DROP: Final = """
DELETE FROM licensing_reportduty d USING licensing_licence l
WHERE l.id = d.licence_id AND d.status = 'open' AND NOT d.period && l.valid
RETURNING d.id, l.society_id, l.ref, lower(d.period), upper(d.period)
"""
_CUT: Final = """
UPDATE licensing_reportduty d
SET period = d.period * l.valid,
    due_on = least(d.due_on, greatest(%(fair)s,
      upper(l.valid) - 1 + coalesce((l.conditions->>'report_within_days')::int, %(within)s)))
FROM licensing_licence l
WHERE l.id = d.licence_id AND d.status = 'open' AND NOT d.period <@ l.valid
RETURNING d.id, l.society_id, l.ref, lower(d.period), upper(d.period)
"""
# A duty is covered where the live declarations of its licence together have all its days. One that was superseded counts
# no longer; what replaced it does. Rows are locked in order, so that the regular run and a declaration that is just handed
# in never wait for each other.
_SETTLE: Final = """
WITH changing AS (
  SELECT d.id FROM licensing_reportduty d
  WHERE d.status = ANY(%(before)s) AND {which} AND (d.period <@
    (SELECT range_agg(x.period) FROM licensing_declaration x WHERE x.licence_id = d.licence_id AND x.period && d.period
     AND x.status IN ('submitted', 'accepted') AND NOT x.sandbox)) IS {covered}
  ORDER BY d.id FOR UPDATE)
UPDATE licensing_reportduty d SET {after}
FROM changing, licensing_licence l
WHERE d.id = changing.id AND l.id = d.licence_id
RETURNING d.id, l.licensee_id, l.ref, lower(d.period), upper(d.period)
"""
_ONE: Final = "d.licence_id = %(licence)s"
_SUPERSEDED: Final = "d.licence_id IN (SELECT licence_id FROM licensing_declaration WHERE status = 'superseded')"
_MET: Final = "status = 'met', settled_at = now(), user_id = NULL, reason = ''"
_OPEN_AGAIN: Final = "status = 'open', settled_at = NULL"


@transaction.atomic
def make_due(today: dt.date) -> int:
    """Make the duties of the coming 13 months, and take back those beyond a term that ended early. How many were made."""
    horizon = months_after(today, calendar.AHEAD_MONTHS)
    fair = today + dt.timedelta(days=calendar.FAIR_DAYS)
    values: dict[str, Any] = {"within": _WITHIN, "horizon": horizon, "licensing": list(LICENSING), "fair": fair}
    _noted("removed", _rows(_DROP, values))
    _noted("cut", _rows(_CUT, values))
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, values)
        return cursor.rowcount


@transaction.atomic
def settle_met(licence_id: int | None = None) -> int:
    """Mark the duties whose whole period is declared as met, and open those again that are declared no longer.

    Of one licence, or of all. A word that nothing was used gives way to a declaration; a waiver stays. How many changed.
    """
    one = _ONE if licence_id is not None else ""
    met = _settled("met", [Status.OPEN, Status.NIL], one or "true", _MET, licence_id, covered="TRUE")
    lost = one or _SUPERSEDED  # only then can days be uncovered that were covered
    return met + _settled("reopened", [Status.MET], lost, _OPEN_AGAIN, licence_id, covered="NOT TRUE")


@transaction.atomic
def report_nil(*, actor: Actor, duty: ReportDuty, typed: str) -> ReportDuty:
    """Somebody who may declare says that nothing was used in the period, by typing the licence's reference.

    A declaration that comes later counts instead. Refused while the period is not over: nobody knows yet.
    """
    licence = duty.licence
    require_declarant(actor, licence)
    if actor.sandbox:
        raise Forbidden(_("A test token reports nothing: this is a duty under a real licence."))
    if duty.period.upper > timezone.localdate():
        raise Refusal("not_over", _("The period is not over yet. Report on it once it is."), pointer="/period")
    if typed.strip() != licence.ref:
        raise Refusal(
            "not_confirmed", _("Type “%(ref)s”, the reference of the licence.") % {"ref": licence.ref}, pointer="/typed"
        )
    return _said(actor, duty, Status.NIL, licence.licensee_id)


@transaction.atomic
def waive(*, actor: Actor, duty: ReportDuty, reason: str) -> ReportDuty:
    """The society does without the report on this period, for a reason that both sides can read."""
    actor.require("licences.manage")
    if not actor.is_system and actor.organisation_id != duty.licence.society_id:
        raise NotFound(_("There is no such duty to report under a licence of yours."))
    reason = " ".join(reason.split())
    if not reason or len(reason) > MOST_REASON or not reason.isprintable():
        raise Refusal("no_reason", _("Write the reason, in at most 500 characters."), pointer="/reason")
    return _said(actor, duty, Status.WAIVED, duty.licence.society_id, reason)


def overdue_for_estimate(society: Organisation, today: dt.date | None = None) -> ReportDutyQuerySet:
    """The society's duties whose day has passed without a report, the longest overdue first: billing may estimate them."""
    overdue = ReportDuty.objects.overdue(today or timezone.localdate()).filter(licence__society=society)
    return overdue.select_related("licence__licensee", "licence__tariff").order_by("due_on", "pk")


def find_duty(*, actor: Actor, duty_id: int) -> ReportDuty:
    """One of the duties that the actor sees, or NotFound."""
    visible = ReportDuty.objects.visible_to(actor).select_related("licence__licensee", "licence__society")
    found = visible.filter(pk=duty_id).first()
    if found is None:
        raise NotFound(_("There is no such duty to report."))
    return found


def _said(actor: Actor, duty: ReportDuty, status: str, organisation_id: int, reason: str = "") -> ReportDuty:
    """Settle an open duty by somebody's word, once: by compare-and-set."""
    said = {"status": status, "settled_at": timezone.now(), "user_id": actor.user_id, "reason": reason}
    if ReportDuty.objects.open().filter(pk=duty.pk, period=duty.period).update(**said) != 1:
        raise Conflict("wrong_status", _("This duty is settled already, or it changed. Look again."))
    for name, value in said.items():
        setattr(duty, name, value)
    _note(actor, status, duty.pk, organisation_id, duty.licence.ref, duty.period.lower, duty.period.upper, reason)
    return duty


def _settled(verb: str, before: list[str], which: str, after: str, licence_id: int | None, *, covered: str) -> int:
    sql = _SETTLE.format(which=which, after=after, covered=covered)
    return _noted(verb, _rows(sql, {"before": before, "licence": licence_id}))


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _noted(verb: str, changed: list[tuple[Any, ...]]) -> int:
    for duty_id, organisation_id, ref, start, end in changed:
        _note(SYSTEM, verb, duty_id, organisation_id, ref, start, end)
    return len(changed)


def _note(
    actor: Actor,
    verb: str,
    duty_id: int,
    organisation_id: int,
    ref: str,
    start: dt.date,
    end: dt.date,
    reason: str = "",
) -> None:
    record(
        actor=actor,
        verb=f"report_duty.{verb}",
        object=Reference("report_duty", duty_id),
        organisation_id=organisation_id,
        data={"licence": ref, "since": start.isoformat(), "until": end.isoformat()}
        | ({"reason": reason} if reason else {}),
    )
