"""A holder's account by year: what was brought forward, what came and went, what is carried forward."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import NotFound
from accounts.identity.gate import ActorRequest, requires
from licensing.repertoire.models import Holder
from royalties.ledger.models import Account
from royalties.statements import wording
from royalties.statements.models import Statement
from royalties.statements.services import account as service
from royalties.statements.services.files import FORMATS, LANGUAGES

_TYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "json": "application/json"}
_TREND = ("paid", "withheld")  # beside each other they are what left; what was earned stands in the sums


@requires("statements.view")
@require_GET
def accounts(request: ActorRequest) -> HttpResponse:
    """The accounts that the actor may see, each with its balance. A society finds one by its holder's reference."""
    found = service.accounts_of(request.actor)
    asked = request.GET.get("q", "").strip()[:100]
    if asked:
        found = found.filter(owner_id__in=Holder.objects.visible_to(request.actor).filter(ref=asked).values("id"))
    page = paginate(request, found, counted=False)
    holders = Holder.objects.in_bulk([each.owner_id for each in page.object_list if each.owner_id])
    rows = [(each, holders.get(each.owner_id or 0), each.credits - each.debits) for each in page.object_list]
    context = {"page": page, "rows": rows, "asked": asked}
    return render(request, "royalties/statements/accounts.html", context)


@requires("statements.view")
@require_GET
def account(request: ActorRequest, holder_account_id: int) -> HttpResponse:
    """One account in one calendar year: `?year=2026`, the latest where none is asked for."""
    found = _visible(request, holder_account_id)
    years = service.years_of(found)
    asked = request.GET.get("year", "")
    latest = years[0] if years else timezone.localdate().year
    year = service.account_year(found, _year(asked) or latest)
    page = paginate(request, list(reversed(year.movements)))
    made = _statements(request, found, [each.journal for each in page.object_list])
    context = {
        "account": found,
        "year": year,
        "years": sorted({*years, year.year}, reverse=True),
        "sums": [(wording.category_label(name, amount), amount) for name, amount in year.sums.items()],
        "page": page,
        "rows": [
            (each, service.what(each), made.get(each.journal) if each.category == "earned" else None)
            for each in page.object_list
        ],
        "trend": _trend(year),
    }
    return render(request, "royalties/statements/account.html", context)


@requires("statements.view")
@require_GET
def download(request: ActorRequest, holder_account_id: int, year: int, form: str) -> HttpResponse:
    """The year as a file: `?language=ko|en`."""
    found = _visible(request, holder_account_id)
    if form not in FORMATS or not _year(str(year)):
        raise NotFound(_("There is no such file."))
    asked = request.GET.get("language", "")
    language = asked if asked in LANGUAGES else wording.language()
    with override(language):
        content = service.account_file(service.account_year(found, year), form, language)
    headers = {"Content-Disposition": f'attachment; filename="account-{holder_account_id}-{year}.{form}"'}
    return HttpResponse(content, content_type=_TYPES[form], headers=headers)


def _statements(request: ActorRequest, account: Account, journals: list[int]) -> dict[int, int]:
    """The holder's statement of each distribution that one of these journals posted."""
    rows = Statement.objects.visible_to(request.actor).filter(
        holder_id=account.owner_id or 0, run__journal_id__in=journals
    )
    return dict(rows.values_list("run__journal_id", "id"))


def _trend(year: Any) -> list[tuple[str, str, int]]:
    """(year, what, amount without its sign), for the picture of three years."""
    rows = []
    for each in year.trend:
        for name in _TREND:
            amount = each.of(name)
            if amount:
                rows.append((str(each.year), wording.category_label(name, 1 if name == "earned" else -1), abs(amount)))
    return rows


def _year(text: str) -> int | None:
    return int(text) if len(text) == 4 and text.isascii() and text.isdigit() and 1900 <= int(text) <= 2999 else None


def _visible(request: ActorRequest, holder_account_id: int) -> Account:
    found = service.accounts_of(request.actor).filter(pk=holder_account_id).first()
    if found is None:
        raise NotFound(_("There is no such account."))
    return found
