"""Finance: sister societies, what they represent, what goes to them, the detail file and whether it agrees with the payment."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.intake.core import SafeWriter
from licensing.licences.downloads import kept_file
from royalties.entitlements import services
from royalties.entitlements.forms import AgreementEndForm, AgreementForm, MembersForm, ReasonForm, SisterPaidForm
from royalties.entitlements.models import SisterAgreement, SisterLine, SisterMember, SisterStatement
from royalties.entitlements.pages.common import kept, one_of, put_errors, society_of, waiting
from royalties.entitlements.services import sisters as agreeing

_PREVIEW = 50


@requires("payouts.view")
@require_GET
def sisters(request: ActorRequest) -> HttpResponse:
    """Agreements, and the statements that were made to them, the latest first."""
    society = society_of(request)
    agreements = list(SisterAgreement.objects.visible_to(request.actor).select_related("sister").order_by("-id")[:200])
    members = dict(SisterMember.objects.filter(society=society).values_list("sister").annotate(members=Count("id")))
    today = timezone.localdate()
    statements = SisterStatement.objects.visible_to(request.actor).select_related("sister").order_by("-id")
    context = {
        "agreements": [(each, _status(each, today), members.get(each.sister_id, 0)) for each in agreements],
        "page": paginate(request, statements, counted=False),
        "can_manage": request.actor.can("payees.manage"),
    }
    return render(request, "royalties/entitlements/sisters.html", context)


@requires("payees.manage")
@require_http_methods(["GET", "POST"])
def agreement_new(request: ActorRequest) -> HttpResponse:
    society = society_of(request)
    form = AgreementForm(request.POST or None, request.FILES or None, actor=request.actor, initial={"uses": ["*"]})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.request_agreement(
                actor=request.actor, society=society, document=kept(request, form), **form.said()
            )
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("It is on record. It counts once a second person approves it."))
            return redirect("royalties:sister_agreement", made.pk)
    return render(request, "royalties/entitlements/agreement_new.html", {"form": form})


@requires("payouts.view")
@require_GET
def agreement(request: ActorRequest, agreement_id: int) -> HttpResponse:
    return _shown(request, _visible(request, agreement_id))


@requires("payouts.view")
@require_GET
def agreement_file(request: ActorRequest, agreement_id: int) -> StreamingHttpResponse:
    found = _visible(request, agreement_id)
    return kept_file(found.document, found.document.name, "application/octet-stream")


@requires("payees.manage")
@require_POST
def agreement_decide(request: ActorRequest, agreement_id: int) -> HttpResponse:
    yes, reason = request.POST.get("decision") == "approve", request.POST.get("reason", "")[:1000]
    services.decide_agreement(
        actor=request.actor, agreement=_visible(request, agreement_id), approve=yes, reason=reason
    )
    messages.success(request, _("Approved.") if yes else _("Refused."))
    return redirect("royalties:sister_agreement", agreement_id)


@requires("payees.manage")
@require_POST
def agreement_end(request: ActorRequest, agreement_id: int) -> HttpResponse:
    found, form = _visible(request, agreement_id), AgreementEndForm(request.POST)
    if form.is_valid():
        try:
            services.request_agreement_end(actor=request.actor, agreement=found, **form.cleaned_data)
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("A second person can approve the end now."))
            return redirect("royalties:sister_agreement", agreement_id)
    return _shown(request, found, end_form=form)


@requires("payees.manage")
@require_POST
def agreement_end_decide(request: ActorRequest, agreement_id: int) -> HttpResponse:
    yes, reason = request.POST.get("decision") == "approve", request.POST.get("reason", "")[:1000]
    services.decide_agreement_end(
        actor=request.actor, agreement=_visible(request, agreement_id), approve=yes, reason=reason
    )
    messages.success(request, _("It ends as asked for.") if yes else _("It stands as it was."))
    return redirect("royalties:sister_agreement", agreement_id)


@requires("payees.manage")
@require_POST
def agreement_read(request: ActorRequest, agreement_id: int) -> HttpResponse:
    """Read a table of the sister's members; rows that cannot be taken are shown with their numbers."""
    found, form = _visible(request, agreement_id), MembersForm(request.POST, request.FILES)
    result: dict[str, Any] = {}
    if form.is_valid():
        try:
            result = services.import_sister_members(
                actor=request.actor, society=found.society, sister=found.sister, stored=kept(request, form)
            )
        except Refusal as refusal:
            put_errors(form, refusal)
    return _shown(request, found, members_form=form, result=result)


@requires("payouts.view")
@require_GET
def statement(request: ActorRequest, sister_statement_id: int) -> HttpResponse:
    return _stated(request, _statement(request, sister_statement_id), SisterPaidForm())


@requires("payouts.view")
@require_GET
def statement_detail(request: ActorRequest, sister_statement_id: int) -> StreamingHttpResponse:
    """The detail file: one row a holder; it sums to the payment."""
    found = _statement(request, sister_statement_id)
    headers = {"Content-Disposition": f'attachment; filename="sister-statement-{found.pk}.csv"'}
    return StreamingHttpResponse(csv_lines(found), content_type="text/csv; charset=utf-8", headers=headers)


@requires("payouts.prepare")
@require_POST
def statement_mark(request: ActorRequest, sister_statement_id: int) -> HttpResponse:
    """Record it as paid."""
    found, form = _statement(request, sister_statement_id), SisterPaidForm(request.POST)
    if form.is_valid():
        try:
            services.record_sister_paid(actor=request.actor, statement=found, **form.cleaned_data)
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("Recorded as paid."))
            return redirect("royalties:sister_statement", sister_statement_id)
    return _stated(request, found, form)


def csv_lines(found: SisterStatement) -> Iterator[str]:
    """The detail file piece by piece, with a mark that spreadsheets know UTF-8 by."""
    out = io.StringIO()
    writer = SafeWriter(out)
    out.write("\ufeff")
    for row in services.detail_file(found):
        writer.row(row)
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _visible(request: ActorRequest, pk: int) -> SisterAgreement:
    found: SisterAgreement = one_of(request, SisterAgreement, pk, "sister", "society", "document")
    return found


def _statement(request: ActorRequest, pk: int) -> SisterStatement:
    found: SisterStatement = one_of(request, SisterStatement, pk, "sister", "society", "agreement")
    return found


def _status(each: SisterAgreement, today: Any) -> str:
    if each.status != SisterAgreement.Status.APPROVED:
        return str(each.status)
    if today < each.valid.lower:
        return "future"
    return "expired" if each.valid.upper is not None and today >= each.valid.upper else "in_force"


def _shown(request: ActorRequest, found: SisterAgreement, **given: Any) -> HttpResponse:
    about, manage = agreeing.reference(found), request.actor.can("payees.manage")
    members = SisterMember.objects.filter(society=found.society, sister=found.sister)
    approved = found.status == SisterAgreement.Status.APPROVED
    context = {
        "agreement": found,
        "status": _status(found, timezone.localdate()),
        "deductions": found.deductions,
        "approval": waiting(request, agreeing.AGREEMENT, about, "payees.manage"),
        "ending": waiting(request, agreeing.END, about, "payees.manage"),
        "page": paginate(request, members.select_related("holder").order_by("id"), counted=False),
        "can_end": manage and approved and found.end_asked is None,
        "can_manage": manage,
        "end_form": AgreementEndForm(),
        "members_form": MembersForm(),
        "reason_form": ReasonForm(),
        "result": {},
    }
    return render(request, "royalties/entitlements/agreement.html", context | given)


def _stated(request: ActorRequest, found: SisterStatement, form: SisterPaidForm) -> HttpResponse:
    lines = SisterLine.objects.filter(statement=found).select_related("holder").order_by("holder__ref")
    compared = agreeing.reconciled(found)
    is_open = found.status == SisterStatement.Status.OPEN
    context = {
        "statement": found,
        "cuts": [(name, cut) for (name, _ppm), cut in zip(found.agreement.deductions, found.cuts, strict=False)],
        "page": paginate(request, lines, size=_PREVIEW, counted=False),
        "compared": compared,
        "agrees": compared["net"] == compared["lines"] == compared["posted"]
        and compared["gross"] == compared["lines_gross"]
        and (is_open or compared["paid"] == compared["net"]),
        "can_pay": is_open and request.actor.can("payouts.prepare"),
        "form": form,
        "sees_ledger": request.actor.can("ledger.view"),
    }
    return render(request, "royalties/entitlements/sister_statement.html", context)
