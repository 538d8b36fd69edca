"""What a creator comes for: what am I owed, and where were my works used."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden
from accounts.identity.gate import ActorRequest, signed_in
from licensing.declarations.models import DeclaredUse
from licensing.repertoire.models import Work
from licensing.terms import USES
from royalties.distribution.models import Run
from royalties.ledger.models import Account
from royalties.payouts.services import looking
from royalties.statements.models import Statement
from royalties.statements.services import facts

_USES_OF_A_WORK = 20
_PICTURED = 200  # statements that the picture over time is drawn from


def owed(request: ActorRequest) -> HttpResponse:
    """The creator's start: balances from the ledger, the latest statements, and how it went over time."""
    actor = request.actor
    if not actor.can("statements.view"):  # a delegate for the catalogue sees no money
        return render(request, "royalties/statements/owed.html", {"balances": [], "latest": [], "no_money": True})
    mine = Statement.objects.visible_to(actor).exclude(run__status=Run.Status.REVERSED)
    recent = list(mine.select_related("run", "society", "holder").order_by("-id")[:_PICTURED])
    balances, back = _balances(actor), facts.taken_back(recent)
    currency = balances[0][0] if balances else (recent[0].currency if recent else "KRW")
    context = {
        "balances": balances,
        "currency": currency,
        "latest": recent[:6],
        "line": _over_time(recent, currency, back),
        "held": sum(each.held - _back(each, back)[1] for each in recent if each.currency == currency),
        **_next(actor),
    }
    return render(request, "royalties/statements/owed.html", context)


def _balances(actor: Actor) -> list[tuple[str, int]]:
    """(currency, what the book owes these holders), the largest first."""
    accounts = Account.objects.filter(kind="payable", owner_id__in=actor.holder_ids)
    sums = accounts.order_by().values_list("currency").annotate(owed=Sum(F("credits") - F("debits")))
    return sorted(((currency, int(amount)) for currency, amount in sums), key=lambda each: (-each[1], each[0]))


def _next(actor: Actor) -> dict[str, Any]:
    """The next payday of what can be paid, and what stands in the way of the rest."""
    found = looking.next_payments(actor.holder_ids)
    days = [each.on for each in found if each.on and not each.reason]
    stopped = [each for each in found if each.reason and each.reason != "below_threshold"]
    return {"next_on": min(days, default=None), "stopped": stopped[:1], "can_change": actor.can("payees.own")}


Back = dict[tuple[int, int], tuple[int, int]]


def _back(each: Statement, back: Back) -> tuple[int, int]:
    """What of a statement's (payable, held) stood on an earlier one already."""
    return back.get((each.run_id, each.holder_id), (0, 0))


def _over_time(recent: Iterable[Statement], currency: str, back: Back) -> list[tuple[str, int]]:
    """Payable amounts by the last month of use, in order."""
    sums: dict[str, int] = {}
    for each in recent:
        if each.currency == currency:
            month = (each.run.period.upper - datetime.timedelta(days=1)).strftime("%Y-%m")
            sums[month] = sums.get(month, 0) + each.payable - _back(each, back)[0]
    return sorted(sums.items())


@signed_in
@require_GET
def uses(request: ActorRequest) -> HttpResponse:
    """Where the creator's works were used: work by work, each with who declared which use of it."""
    actor = request.actor
    if not actor.holder_ids:
        raise Forbidden(_("This page is for rights holders and those who act for them."))
    declared = DeclaredUse.objects.filter(
        work_id=OuterRef("pk"), declaration__status="accepted", declaration__sandbox=False
    )
    works = Work.objects.visible_to(actor).filter(Exists(declared)).order_by("id")
    asked, use = request.GET.get("q", "").strip()[:100], request.GET.get("use", "")
    if asked:
        works = works.filter(title__icontains=asked)
    if use in USES:
        works = works.filter(Exists(declared.filter(use=use)))
    page = paginate(request, works, size=25, counted=False)
    rows = _with_uses(actor, list(page), use if use in USES else "")
    context = {"page": page, "works": rows, "asked": asked, "use": use, "choices": list(USES)}
    return render(request, "royalties/statements/uses.html", context)


def _with_uses(actor: Actor, works: list[Work], use: str) -> list[tuple[Work, list[DeclaredUse], int]]:
    """Each work with its uses, the latest first: (work, at most twenty, how many more)."""
    found = DeclaredUse.objects.visible_to(actor).filter(work_id__in=[work.pk for work in works])
    if use:
        found = found.filter(use=use)
    by_work: dict[int, list[DeclaredUse]] = {}
    for each in found.select_related("declaration__licence__licensee").order_by("-declaration_id", "use", "used_on"):
        by_work.setdefault(each.work_id or 0, []).append(each)
    rows: list[Any] = []
    for work in works:
        of_work = by_work.get(work.pk, [])
        rows.append((work, of_work[:_USES_OF_A_WORK], max(0, len(of_work) - _USES_OF_A_WORK)))
    return rows
