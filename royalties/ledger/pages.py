"""Pages of the ledger, for those who may see it: accounts, their histories, journals, trial balance."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import NotFound
from accounts.identity.gate import ActorRequest, requires
from royalties.ledger import services
from royalties.ledger.core import CHART, balance
from royalties.ledger.labels import KINDS, journal_label, kind_label
from royalties.ledger.models import Account, Journal, Posting
from royalties.ledger.reading import history, legs, named

PAGE = 50


@requires("ledger.view")
@require_GET
def accounts(request: ActorRequest) -> HttpResponse:
    """The accounts of the society's book with their balances; `?kind=` narrows, the largest first within a kind."""
    kind = request.GET.get("kind", "")
    found = _accounts(request, kind if kind in CHART else "", request.GET.get("empty") == "1")
    page = paginate(request, found, counted=False)
    names = named(page.object_list)
    rows = [(each, names[each.pk], balance(each.kind, each.debits, each.credits)) for each in page.object_list]
    context = {
        "page": page,
        "rows": rows,
        "kind": kind,
        "kinds": KINDS.items(),
        "empty": request.GET.get("empty") == "1",
    }
    return render(request, "royalties/ledger/accounts.html", context)


def _accounts(request: ActorRequest, kind: str, empty: bool) -> QuerySet[Account]:
    found = Account.objects.visible_to(request.actor)
    if kind:
        found = found.filter(kind__startswith=f"{kind}:") if CHART[kind].named else found.filter(kind=kind)
    if not empty:
        found = found.exclude(debits=F("credits"))
    return found.order_by("kind", "id")


@requires("ledger.view")
@require_GET
def account(request: ActorRequest, account_id: int) -> HttpResponse:
    """One account's postings, newest first, with the running balance."""
    found = Account.objects.visible_to(request.actor).filter(pk=account_id).first()
    if found is None:
        raise NotFound(_("There is no such account."))
    at = _page_number(request)
    movements = history(found, offset=(at - 1) * PAGE, limit=PAGE)
    context = {
        "account": found,
        "name": named([found])[found.pk],
        "balance": balance(found.kind, found.debits, found.credits),
        "movements": movements[:PAGE],
        "newer": at - 1,
        "older": at + 1 if len(movements) > PAGE else 0,
    }
    return render(request, "royalties/ledger/account.html", context)


@requires("ledger.view")
@require_GET
def journals(request: ActorRequest) -> HttpResponse:
    """All journals, newest first."""
    found = Journal.objects.visible_to(request.actor).select_related("reversed_by").order_by("-id")
    page = paginate(request, found, counted=False)
    rows = [(each, journal_label(each.kind)) for each in page.object_list]
    return render(request, "royalties/ledger/journals.html", {"page": page, "rows": rows})


@requires("ledger.view")
@require_GET
def journal(request: ActorRequest, journal_id: int) -> HttpResponse:
    """One journal with its postings."""
    visible = Journal.objects.visible_to(request.actor).select_related("reverses", "reversed_by")
    found = visible.filter(pk=journal_id).first()
    if found is None:
        raise NotFound(_("There is no such journal."))
    page = paginate(request, Posting.objects.filter(journal=found).order_by("line"), counted=False)
    context = {"journal": found, "label": journal_label(found.kind), "page": page, "legs": legs(page.object_list)}
    return render(request, "royalties/ledger/journal.html", context)


@requires("ledger.view")
@require_GET
def trial(request: ActorRequest) -> HttpResponse:
    """The trial balance: every kind of account, and debits that equal credits."""
    society_id = request.actor.organisation_id if request.actor.is_society else None
    lines = services.trial_balance(society_id) if society_id and not request.actor.sandbox else []
    currencies: dict[str, dict[str, Any]] = {}
    for line in lines:
        sums = currencies.setdefault(line.currency, {"lines": [], "debits": 0, "credits": 0})
        sums["lines"].append(
            (line, kind_label(line.kind), max(line.debits - line.credits, 0), max(line.credits - line.debits, 0))
        )
        sums["debits"] += max(line.debits - line.credits, 0)
        sums["credits"] += max(line.credits - line.debits, 0)
    context = {
        "currencies": currencies,
        "closed_through": services.closed_through(society_id) if society_id else None,
        "can_close": request.actor.is_society and request.actor.can("ledger.close"),
    }
    return render(request, "royalties/ledger/trial.html", context)


def _page_number(request: ActorRequest) -> int:
    asked = request.GET.get("page", "")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
