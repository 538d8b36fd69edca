"""What finance leaves in the books, told in the small: a payout, a close that waits, a year's report, files of all statements,
two versions of the rule compared."""

from __future__ import annotations

import datetime

from django.utils import timezone

from accounts.identity.core import Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from royalties.distribution.models import Rule, Run
from royalties.distribution.services import import_rule
from royalties.distribution.services.notes import write_note
from royalties.distribution.services.preview import ask_preview, compute_preview
from royalties.payouts import services as payouts
from royalties.reports import services as reports
from royalties.reports.pages.closing import last_month
from royalties.statements.services import archives
from tests.journeys.example import SOCIETY


def tell(*, society: str, second: str) -> None:
    """`society` asks, `second` approves."""
    of = Organisation.objects.get(ref=SOCIETY)
    first, other = (actor_of_user(User.objects.get(email=email), of.pk) for email in (society, second))
    run = Run.objects.filter(society=of, published_at__isnull=False).order_by("id")[0]
    write_note(actor=first, run=run, text="Looked at with the board.")
    archive = archives.ask_archive(actor=first, run=run, form="csv", language="ko")
    for part in archive.parts.all():
        archives.write_part(part.pk)
    _compare(first, of, run)
    batch = payouts.start(actor=first, society=of, execute_on=timezone.localdate(), currency=run.currency)
    batch = payouts.prepare(batch.pk, actor=first)
    if batch.payments:
        payouts.request(actor=first, batch=batch)
        payouts.order(payouts.approve(actor=other, batch=batch).pk, actor=other)
    reports.draft_report(actor=first, society=of, first=datetime.date(2026, 1, 1))
    reports.request_close(
        actor=first, society=of, through=last_month(), remark="What is left belongs to the next month."
    )


def _compare(first: Actor, of: Organisation, run: Run) -> None:
    rule = Rule.objects.filter(society=of, status=Rule.Status.APPROVED).order_by("id")[0]
    last = Rule.objects.filter(society=of, ref=rule.ref).order_by("-version")[0]
    document = rule.document | {"version": last.version + 1, "reserve_percent": "1"}
    other = import_rule(actor=first, society=of, document=document)
    period = (run.period.lower, run.period.upper)
    asked = ask_preview(actor=first, one=rule, other=other, period=period, currency=run.currency)
    compute_preview(asked.pk)
