"""What was withheld in a year: the creator's own with its certificate, the society's with the file for the tax office."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.identity.core import Actor, Forbidden, NotFound
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.payees.models import TAX_STATUSES
from royalties.payouts import withholding as services


@requires("payouts.view")
@require_GET
def withholding(request: ActorRequest) -> HttpResponse:
    """The society's year by kind of payee, with what the bank has not answered yet."""
    society = Organisation.objects.of(request.actor)
    this = timezone.localdate().year
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else this
    year = min(max(year, services.FIRST_YEAR), services.LAST_YEAR)
    names = dict(TAX_STATUSES)
    sums = services.totals(services.year_rows(society.pk, year))
    context = {
        "year": year, "years": range(this, this - 6, -1), "open": services.still_open(society.pk, year),
        "rows": [each | {"label": names.get(each["tax_status"], each["tax_status"])} for each in sums],
    }  # fmt: skip
    return render(request, "royalties/payouts/withholding.html", context)


@requires("payouts.view")
@require_GET
def authority(request: ActorRequest, year: int) -> HttpResponseBase:
    """The year as a file for the tax office; it shows what each payee had."""
    society = Organisation.objects.of(request.actor)
    services.checked_year(year)
    lines = services.authority_file(society, year)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="withholding-{society.ref}-{year}.csv"'
    return answer


@signed_in
@require_GET
def my_withholding(request: ActorRequest) -> HttpResponse:
    """Each year in which something was paid to a holder of mine."""
    actor = request.actor
    actor.require("statements.view")
    if actor.is_society:
        raise NotFound(_("There is no such page."))
    found = services.years_of(actor.holder_ids)
    holders = Holder.objects.in_bulk([holder for _year, _society, holder in found])
    rows = []
    for year, society_id, holder_id in found:
        for row in services.year_rows(society_id, year, [holder_id]):
            rows.append({"year": year, "holder": holders[holder_id], "row": row})
    return render(request, "royalties/payouts/my_withholding.html", {"rows": rows, "names": dict(TAX_STATUSES)})


@signed_in
@require_GET
def certificate(request: ActorRequest, year: int, holder_id: int, form: str) -> HttpResponse:
    """One payee's year as PDF or CSV: for whoever acts for the holder, and for the society."""
    holder = _holder(request.actor, holder_id)
    rows = list(services.year_rows(holder.society_id, services.checked_year(year), [holder.pk]))
    if not rows or form not in ("pdf", "csv"):
        raise NotFound(_("There is no report for that year."))
    if form == "csv":
        text = services.payee_file(holder.society, year, rows)
        answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    else:
        made = services.certificate(
            society=holder.society, holder=holder, year=year, rows=rows, statuses=dict(TAX_STATUSES)
        )
        answer = HttpResponse(made, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="withholding-{holder.ref}-{year}.{form}"'
    return answer


def _holder(actor: Actor, holder_id: int) -> Holder:
    mine: Any = Holder.objects.filter(pk=holder_id).select_related("society")
    if actor.is_society:
        if not actor.can("payouts.view"):
            raise Forbidden(_("Your role does not see payouts."))
        mine = mine.filter(society_id=actor.organisation_id)
    else:
        mine = mine.filter(pk__in=actor.holder_ids if actor.can("statements.view") else [])
    found: Holder | None = mine.first()
    if found is None:
        raise NotFound(_("There is no such holder."))
    return found
