"""A run before it is approved: started once, computed anew on request, or discarded."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.matching.services import refresh_titles
from royalties.billing.models import Invoice, PoolDeclaration, Receipt
from royalties.distribution.models import Rule, Run, RunCorrection, RunPool, RunReceipt, RunRelease
from royalties.distribution.services import candidates
from royalties.distribution.services.guards import enter, own_run

KIND = "run"
UNPOSTED = (Run.Status.DRAFT, Run.Status.COMPUTED, Run.Status.APPROVED)
POSTED = (Run.Status.POSTED, Run.Status.PUBLISHED)


def undistributed(society_id: int, period: DateRange, *, run_id: int = 0) -> QuerySet[Receipt]:
    """Money received, and not distributed by another run than this, on invoices whose use period lies in the run's.

    What was received on an estimate or in advance waits until a declaration says for what (`waiting_for_use`).
    """
    return _not_taken(society_id, period, run_id).filter(Exists(_WEIGHED) | _COMPENSATION)


_WEIGHED = PoolDeclaration.objects.filter(invoice=OuterRef("invoice"))
_COMPENSATION = Q(invoice__kind=Invoice.Kind.COMPENSATION)


def _not_taken(society_id: int, period: DateRange, run_id: int = 0) -> QuerySet[Receipt]:
    taken = RunReceipt.objects.filter(active=True).exclude(pool__run_id=run_id)
    return Receipt.objects.filter(
        society_id=society_id, net__gt=0, invoice__society_id=society_id, invoice__period__contained_by=period
    ).exclude(pk__in=taken.values("receipt_id"))


@dataclass(frozen=True, slots=True)
class WaitingForUse:
    """Money received on an invoice whose use nobody has declared yet, net of VAT, in minor units."""

    invoice_id: int
    number: str
    licensee: str
    currency: str
    amount: int
    start: datetime.date
    end: datetime.date


def waiting_for_use(
    society_id: int, period: DateRange | None = None, *, currency: str | None = None
) -> list[WaitingForUse]:
    """The money that no run takes before a declaration is billed for its licence and period, by invoice."""
    found = _not_taken(society_id, period or DateRange(None, None)).exclude(Exists(_WEIGHED) | _COMPENSATION)
    if currency:
        found = found.filter(invoice__currency=currency)
    sums = found.order_by().values("invoice_id", "invoice__number", "invoice__licensee__ref", "invoice__currency")
    rows = sums.annotate(amount=Sum("net"), start=Min(Lower("invoice__period")), end=Max(Upper("invoice__period")))
    return [
        WaitingForUse(
            row["invoice_id"], row["invoice__number"], row["invoice__licensee__ref"], row["invoice__currency"],
            row["amount"], row["start"], row["end"],
        )
        for row in rows.order_by("invoice_id")
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """Money received and in no run yet, in minor units, with the days of use that a run for it must cover (half-open)."""

    currency: str
    amount: int
    start: datetime.date
    end: datetime.date


def waiting_money(society_id: int) -> list[Waiting]:
    """What waits to be distributed, by currency."""
    every = undistributed(society_id, DateRange(None, None)).order_by().values("invoice__currency")
    sums = every.annotate(amount=Sum("net"), start=Min(Lower("invoice__period")), end=Max(Upper("invoice__period")))
    return sorted(
        (Waiting(each["invoice__currency"], each["amount"], each["start"], each["end"]) for each in sums),
        key=lambda each: each.currency,
    )


def start_run(
    *,
    actor: Actor,
    society: Organisation,
    period: tuple[datetime.date, datetime.date],
    currency: str | None = None,
    correct: Collection[int] = (),
) -> Run:
    """Open a draft for a half-open period, in one currency. Starting it twice gives the same run, never two.

    A run also takes what moves a second time, of whichever days of use: what waited and is released now, and pools that
    the declarations of now divide otherwise. It may consist of these alone. `correct` names pools, of those that
    `waiting_corrections` offers, that are divided anew by the shares, works and matches of now.

    Raises Refusal where no money waits, no rule is in force on the period's last day, several currencies wait and none
    is named, or a pool is not offered; Conflict where a run for another period is still open, or for another choice.
    """
    enter(actor, society, "distribution.compute")
    asked, chosen_pools = _period(period), sorted(set(correct))
    refresh_titles(society.pk)  # what waits in suspense may mean a work by its title
    with transaction.atomic():
        if chosen_pools and currency is None:
            currency = _currency_of(society, chosen_pools)
        chosen = currency or _only_currency(society, asked)
        if chosen and (open_run := _open(society, chosen)):
            return _same(open_run, asked, chosen_pools)
        if chosen and chosen_pools:
            _require_offered(society, chosen, chosen_pools)
        if chosen is None or not (
            chosen_pools
            or undistributed(society.pk, asked).filter(invoice__currency=chosen).exists()
            or moves(society.pk, chosen)
        ):
            raise no_money(society.pk, asked, chosen)
        try:
            with transaction.atomic():
                return _create(actor, society, asked, chosen, chosen_pools)
        except IntegrityError:  # somebody was faster
            faster = _open(society, chosen)
            if faster is None:
                raise
            return _same(faster, asked, chosen_pools)


def _currency_of(society: Organisation, pools: list[int]) -> str | None:
    found = RunPool.objects.filter(pk__in=pools, run__society=society).values_list("run__currency", flat=True)
    return found.order_by("id").first()


def _require_offered(society: Organisation, currency: str, pools: list[int]) -> None:
    offered = {each.pool_id for each in candidates.changed_pools(society.pk, currency) if each.now and not each.expired}
    if not offered.issuperset(pools):
        said = _("One of the chosen pools would not be divided otherwise any more. Look again at what is offered.")
        raise Refusal("not_offered", said, pointer="/correct")


def moves(society_id: int, currency: str) -> bool:
    """Whether a run in this currency would take something from earlier ones."""
    return bool(candidates.corrections(society_id, currency) or candidates.releases(society_id, currency))


def waiting_releases(society_id: int) -> list[candidates.Released]:
    """What waits in suspense and means a work now: the next run of its currency pays it out."""
    return [
        each for currency in candidates.currencies(society_id) for each in candidates.releases(society_id, currency)
    ]


def waiting_corrections(society_id: int) -> list[candidates.Correction]:
    """Distributed pools that would be divided otherwise today, with the reasons.

    Where declarations were amended or joined by others, the next run divides them anew; those that are `offered` only where
    it is started with them. Those with no declaration in `now` wait until the amended one is billed.
    """
    return [
        each
        for currency in candidates.currencies(society_id)
        for each in candidates.changed_pools(society_id, currency)
    ]


def no_money(society_id: int, period: DateRange, currency: str | None) -> Refusal:
    """Why there is nothing to distribute: nothing came in, or what came in waits for a declaration."""
    waiting = waiting_for_use(society_id, period, currency=currency)
    if not waiting:
        return Refusal(
            "no_money", _("No money waits to be distributed for uses in this period. Record a receipt first.")
        )
    return Refusal(
        "no_money",
        _(
            "What came in for this period was billed before its use was declared (%(invoices)s). It is distributed once "
            "declarations for it are accepted and billed."
        )
        % {"invoices": ", ".join(each.number for each in waiting[:20])},
    )


def _period(period: tuple[datetime.date, datetime.date]) -> DateRange:
    start, end = period
    if end <= start:
        raise Refusal(
            "empty_period", _("The end is exclusive and must lie after the first day."), pointer="/period_end"
        )
    return DateRange(start, end)


def _only_currency(society: Organisation, period: DateRange) -> str | None:
    waiting = undistributed(society.pk, period).order_by().values_list("invoice__currency", flat=True).distinct()
    open_runs = Run.objects.filter(society=society, status__in=UNPOSTED, period=period).values_list(
        "currency", flat=True
    )
    found = sorted(set(waiting) | set(open_runs))
    if not found:
        found = [each for each in candidates.currencies(society.pk) if moves(society.pk, each)]
    if len(found) > 1:
        raise Refusal(
            "several_currencies",
            _("Money waits in several currencies (%(found)s), and a run has one. Name it.")
            % {"found": ", ".join(found)},
            pointer="/currency",
        )
    return found[0] if found else None


def _open(society: Organisation, currency: str) -> Run | None:
    return Run.objects.filter(society=society, currency=currency, status__in=UNPOSTED).first()


def _same(run: Run, period: DateRange, chosen: list[int]) -> Run:
    same = (run.period.lower, run.period.upper) == (period.lower, period.upper)
    if same and (not chosen or chosen == run.chosen):
        return run
    raise Conflict("run_is_open", _("Run %(run)s is not posted yet: approve or discard it first.") % {"run": run})


def _rule_in_force(society: Organisation, period: DateRange) -> Rule:
    """The rule of the period's last day."""
    last_day = period.upper - datetime.timedelta(days=1)
    rule = Rule.objects.filter(society=society).in_force(last_day).first()
    if rule is None:
        raise Refusal(
            "no_rule",
            _("No approved distribution rule is in force on %(day)s. Import one and have it approved.")
            % {"day": last_day},
        )
    return rule


def _create(actor: Actor, society: Organisation, period: DateRange, currency: str, chosen: list[int]) -> Run:
    rule = _rule_in_force(society, period)
    earlier = Run.objects.filter(society=society, currency=currency, status__in=POSTED, period__overlap=period)
    run = Run.objects.create(
        society=society, period=period, currency=currency, rule=rule, supplementary=earlier.exists(), chosen=chosen
    )
    data = {
        "period": [period.lower.isoformat(), period.upper.isoformat()], "currency": currency, "rule": str(rule),
        "supplementary": run.supplementary, **({"correct": chosen} if chosen else {}),
    }  # fmt: skip
    record(actor=actor, verb="run.started", object=Reference(KIND, run.pk), organisation_id=society.pk, data=data)
    return run


@transaction.atomic
def recompute(*, actor: Actor, run: Run) -> Run:
    """Send a computed run back to draft, so that it is computed by the rule and from the inputs of now."""
    run = own_run(actor, run.pk, "distribution.compute")
    back = Run.objects.filter(pk=run.pk, status__in=[Run.Status.DRAFT, Run.Status.COMPUTED])
    rule = _rule_in_force(run.society, run.period)
    if back.update(status=Run.Status.DRAFT, step="", problems=[], heartbeat_at=None, rule=rule) != 1:
        raise Conflict("run_is_approved", _("Only a run that is not approved can be computed again."))
    record(actor=actor, verb="run.recompute_asked", object=Reference(KIND, run.pk), organisation_id=run.society_id)
    run.refresh_from_db()
    return run


@transaction.atomic
def discard(*, actor: Actor, run: Run, reason: str = "") -> Run:
    """Give up a run that is not posted: its receipts wait for the next one. What was computed stays to be looked at."""
    run = own_run(actor, run.pk, "distribution.compute")
    if Run.objects.filter(pk=run.pk, status__in=UNPOSTED).update(status=Run.Status.DISCARDED, step="") != 1:
        raise Conflict("run_is_posted", _("A posted run is not discarded but reversed."))
    give_back(run)
    Approval.objects.pending().about(KIND, run.pk).filter(kind=KIND).delete()
    record(
        actor=actor,
        verb="run.discarded",
        object=Reference(KIND, run.pk),
        organisation_id=run.society_id,
        data={"reason": reason},
    )
    run.refresh_from_db()
    return run


def give_back(run: Run) -> None:
    """Receipts, and what was taken from earlier runs, wait for another run."""
    for taken in (RunReceipt, RunRelease, RunCorrection):
        taken.objects.filter(pool__run_id=run.pk, active=True).update(active=None)
