"""A year's transparency report: drafted from the book, commented by people, published once the year is closed."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from royalties.ledger import services as ledger
from royalties.reports import core, gathering
from royalties.reports.models import TransparencyReport

KIND = "transparency_report"
MOST_NOTE = 20_000


@transaction.atomic
def draft_report(*, actor: Actor, society: Organisation, first: datetime.date) -> TransparencyReport:
    """Have a draft of the financial year that begins on this day, with the figures of now; a draft that exists is brought up to date."""
    _own(actor, society.pk)
    if first.day != 1:
        raise Refusal("bad_day", _("A financial year begins on the first day of a month."), pointer="/first")
    if first > timezone.localdate():
        raise Refusal("year_not_begun", _("That year has not begun."), pointer="/first")
    end = first.replace(year=first.year + 1)
    period = DateRange(first, end)
    overlapping = TransparencyReport.objects.filter(society=society, period__overlap=period).exclude(period=period)
    if overlapping.exists():
        raise Conflict("years_overlap", _("Another report covers some of these months already."), pointer="/first")
    try:
        with transaction.atomic():
            report, new = TransparencyReport.objects.select_for_update(of=("self",)).get_or_create(
                society=society, period=period
            )
    except IntegrityError as error:
        raise Conflict("report_exists", _("There is a report of that year already.")) from error
    if report.status == TransparencyReport.Status.PUBLISHED:
        raise Conflict("report_is_published", _("The report of that year is published."))
    report.figures = gathering.figures(society, (first, end))
    report.save(update_fields=["figures"])
    verb = "report.drafted" if new else "report.updated"
    record(
        actor=actor,
        verb=verb,
        object=Reference(KIND, report.pk),
        organisation_id=society.pk,
        data={"first": first.isoformat()},
    )
    return report


@transaction.atomic
def say_notes(*, actor: Actor, report: TransparencyReport, notes: Mapping[str, str]) -> TransparencyReport:
    """What the society says, by subject (`core.NOTES`), for what no book can answer."""
    report = _draft(actor, report)
    unknown = sorted(set(notes) - set(core.NOTES))
    if unknown:
        raise Refusal("unknown_subject", _("“%(name)s” is no subject of the report.") % {"name": unknown[0]})
    for name, text in notes.items():
        if len(text) > MOST_NOTE:
            raise Refusal(
                "too_long", _("A text has at most %(most)s characters.") % {"most": MOST_NOTE}, pointer=f"/{name}"
            )
    report.notes = {name: text.strip() for name, text in sorted(notes.items()) if text.strip()}
    report.save(update_fields=["notes"])
    record(
        actor=actor, verb="report.commented", object=Reference(KIND, report.pk), organisation_id=report.society_id,
        data={"subjects": sorted(report.notes)},
    )  # fmt: skip
    return report


@transaction.atomic
def publish_report(*, actor: Actor, report: TransparencyReport) -> TransparencyReport:
    """Publish a report of a closed year: its figures are taken once more, and never change again."""
    report = _draft(actor, report)
    end: datetime.date = report.period.upper
    closed = ledger.closed_through(report.society_id)
    if closed is None or closed < end - datetime.timedelta(days=1):
        raise Refusal(
            "year_is_open",
            _("Close the book through the last day of the year first: until then its figures can change."),
        )
    report.figures = gathering.figures(report.society, (report.period.lower, end))
    report.sha256 = digest(report)
    report.status, report.published_at = TransparencyReport.Status.PUBLISHED, timezone.now()
    report.save(update_fields=["figures", "sha256", "status", "published_at"])
    record(
        actor=actor, verb="report.published", object=Reference(KIND, report.pk), organisation_id=report.society_id,
        data={"sha256": report.sha256, "first": report.period.lower.isoformat()},
    )  # fmt: skip
    return report


def digest(report: TransparencyReport) -> str:
    """SHA-256 of what a report says."""
    said = {
        "society": report.society.ref, "from": report.period.lower.isoformat(), "to": report.period.upper.isoformat(),
        "figures": report.figures, "notes": report.notes,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _draft(actor: Actor, report: TransparencyReport) -> TransparencyReport:
    _own(actor, report.society_id)
    found = TransparencyReport.objects.select_for_update(of=("self",)).select_related("society").get(pk=report.pk)
    if found.status != TransparencyReport.Status.DRAFT:
        raise Conflict("report_is_published", _("The report of that year is published."))
    return found


def _own(actor: Actor, society_id: int) -> None:
    if not actor.is_system and actor.organisation_id != society_id:
        raise NotFound(_("There is no such report."))
    actor.require("ledger.close")
