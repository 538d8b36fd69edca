"""Pages of billing: invoices of both parties, what waits to be billed, receipts, revenue, VAT."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import ordering, paginate
from accounts.identity.core import Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.declarations.models import Declaration
from royalties.billing import services
from royalties.billing.forms import BillForm, ReceiptForm, VatForm
from royalties.billing.models import STATUSES, STILL_OPEN, Invoice, TaxInvoice, VatRule
from royalties.billing.revenue import revenue as revenue_of

_SORTS = {
    "number": "id", "issued": "issued_on", "due": "due_on", "licensee": "licensee__name", "amount": "gross",
}  # fmt: skip


@requires("billing.view")
@require_GET
def invoices(request: ActorRequest) -> HttpResponse:
    """The invoices of one's organisation, newest first; a society's finance people see what waits above them."""
    actor = request.actor
    asked, status = request.GET.get("q", "").strip()[:100], request.GET.get("status", "")
    found = Invoice.objects.visible_to(actor).with_status(status).select_related("society", "licensee", "licence")
    if asked:
        party = (
            Q(licensee__name__icontains=asked)
            | Q(licensee__name_ko__icontains=asked)
            | Q(society__name__icontains=asked)
        )
        found = found.filter(Q(number__icontains=asked) | Q(licence__ref__icontains=asked) | party)
    context = {
        "page": paginate(request, found.order_by(ordering(request, _SORTS, default="-id"), "-id")),
        "asked": asked,
        "status": status if status in STATUSES else "",
        "statuses": STATUSES.items(),
        "waiting": len(services.waiting(actor)) if _may_bill(request) else 0,
        "other_waiting": _other_waiting(request) if _may_bill(request) else 0,
        "cases_waiting": services.cases_to_bill(actor).count() if _may_bill(request) else 0,
        "owed": _owed(request),
        "can_bill": _may_bill(request),
    }
    return render(request, "royalties/billing/invoices.html", context)


@requires("billing.manage")
@require_GET
def waiting(request: ActorRequest) -> HttpResponse:
    """What no invoice covers, by licence and period: declarations, fixed prices, missing reports, what is to be corrected,
    and settled cases."""
    society_only(request)
    actor, today = request.actor, timezone.localdate()
    lists = {
        "waiting": services.waiting(actor),
        "adjustments": paginate(request, services.adjustments(actor), counted=False),
        "advances": paginate(request, services.advances_due(actor, today)),
        "unused": paginate(request, services.owed_without_use(actor)),
        "estimates": paginate(request, services.estimates_due(actor, today), counted=False),
        "cases": paginate(request, services.cases_to_bill(actor), counted=False),
    }
    context = {
        **lists,
        "nothing": not any(getattr(found, "object_list", found) for found in lists.values()),
        "reasons": services.REASONS,
        "can_see_cases": request.actor.can("cases.view"),
        "can_bill": True,
    }
    return render(request, "royalties/billing/waiting.html", context)


@requires("billing.manage")
@require_POST
def case_bill(request: ActorRequest, case_id: int) -> HttpResponse:
    """Issue the invoice of a settled case."""
    found = services.cases_to_bill(request.actor).filter(pk=case_id).first()
    if found is None:
        raise NotFound(_("There is no such case to bill."))
    issued = services.bill_case(actor=request.actor, case=found)
    messages.success(request, _("Invoice %(number)s is issued.") % {"number": issued.number})
    return redirect("royalties:invoice", issued.pk)


@requires("billing.view")
@require_GET
def invoice(request: ActorRequest, invoice_id: int) -> HttpResponse:
    """One invoice: how each amount follows, what came in, what is open."""
    found = _visible(request, invoice_id)
    form = ReceiptForm(initial={"amount": found.open, "received_on": timezone.localdate()})
    return _shown(request, found, form)


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def invoice_new(request: ActorRequest) -> HttpResponse:
    """Choose a licence and a period; see the invoice that it gives; confirm. GET shows, POST issues."""
    society_only(request)
    data = request.POST if request.method == "POST" else request.GET
    form = BillForm(data if "licence" in data else None, actor=request.actor)
    draft: services.Draft | None = None
    problems: tuple[dict[str, Any], ...] = ()
    if form.is_bound and form.is_valid():
        licence, period = form.cleaned_data["licence"], form.period
        try:
            if request.method == "POST":
                billed = services.bill_period(actor=request.actor, licence=licence, period=period)
                messages.success(request, _told(billed))
                return redirect("royalties:invoice", billed.invoice.pk)
            draft = services.draft(actor=request.actor, licence=licence, period=period)
        except Refusal as refusal:
            problems = refusal.errors
    basis = shown_basis(draft.total.basis.as_data()) if draft and draft.total.basis else None
    context = {"form": form, "draft": draft, "basis": basis, "problems": problems, "can_bill": True}
    return render(request, "royalties/billing/invoice_new.html", context)


@requires("billing.manage")
@require_POST
def receipt_new(request: ActorRequest, invoice_id: int) -> HttpResponse:
    """Book money for an invoice; a refusal stands on the form, beside the invoice."""
    found = _visible(request, invoice_id)
    form = ReceiptForm(request.POST)
    if form.is_valid():
        try:
            services.record_receipt(actor=request.actor, invoice=found, **form.cleaned_data)
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The receipt is booked."))
            return redirect("royalties:invoice", found.pk)
    return _shown(request, found, form)


@requires("billing.view")
@require_GET
def revenue(request: ActorRequest) -> HttpResponse:
    """What was billed and received, as charts."""
    society_only(request)
    figures = revenue_of(request.actor, request.GET.get("currency", ""))
    return render(request, "royalties/billing/revenue.html", {"revenue": figures, "can_bill": _may_bill(request)})


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def vat(request: ActorRequest) -> HttpResponse:
    """The rates of VAT by day of issue, and a new one."""
    society_only(request)
    society = Organisation.objects.get(pk=request.actor.organisation_id or 0)
    form = VatForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_vat_rule(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The rate is recorded."))
            return redirect("royalties:vat")
    rules = VatRule.objects.filter(society=society).order_by("-valid")
    return render(request, "royalties/billing/vat.html", {"form": form, "rules": rules, "can_bill": True})


def _told(billed: services.Billed) -> str:
    """What billing a period came to, in a sentence."""
    said = {"number": billed.invoice.number}
    if not billed.new:
        return _("The period is billed by invoice %(number)s; no new one was needed.") % said
    if billed.invoice.kind == Invoice.Kind.CREDIT:
        return _("Credit note %(number)s is issued.") % said
    return _("Invoice %(number)s is issued.") % said


def shown_basis(basis: dict[str, Any]) -> dict[str, Any]:
    """What an estimate rests on, as its template takes it: periods as days."""
    return basis | {"spans": services.Basis.from_data(basis).periods}


def _other_waiting(request: ActorRequest) -> int:
    """How many advances, estimates, corrections and periods without use wait."""
    actor, today = request.actor, timezone.localdate()
    lists = (services.adjustments(actor), services.estimates_due(actor, today))
    found = len(services.advances_due(actor, today)) + len(services.owed_without_use(actor))
    return found + sum(each.count() for each in lists)


def _visible(request: ActorRequest, invoice_id: int) -> Invoice:
    found = (
        Invoice.objects.visible_to(request.actor)
        .select_related("society", "licensee", "licence", "version__tariff")
        .filter(pk=invoice_id)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such invoice."))
    return found


def _shown(request: ActorRequest, found: Invoice, form: ReceiptForm) -> HttpResponse:
    same = Invoice.objects.of_periods().filter(licence_id=found.licence_id, period=found.period).exclude(pk=found.pk)
    same_period = same.none() if found.kind == Invoice.Kind.COMPENSATION else same.order_by("id")
    credits = found.corrects if found.kind == Invoice.Kind.CREDIT else found.corrected_by
    basis = found.rating.get("basis")
    own = request.actor.organisation_id == found.society_id
    context = {
        "invoice": found,
        "lines": found.lines.order_by("position"),
        "receipts": found.receipts.select_related("rate").order_by("id"),
        "disputed": found.disputes.filter(closed_on=None).first() if own else None,
        "tax_invoice": TaxInvoice.objects.filter(invoice=found).first() if own else None,
        "declarations": Declaration.objects.filter(pk__in=found.billed.values("declaration_id")).order_by("id"),
        "case_link": request.actor.can("cases.view"),
        "credits": credits.select_related("credit", "invoice").order_by("id"),
        "basis": shown_basis(basis) if basis else None,
        "others": same_period.only("id", "number", "net", "currency"),
        "steps": found.rating.get("steps", ()),
        "form": form,
        "can_declare": request.actor.organisation_id == found.licensee_id and request.actor.can("declarations.declare"),
        "can_bill": own and request.actor.can("billing.manage"),
        "can_see_ledger": own and request.actor.can("ledger.view"),
    }
    return render(request, "royalties/billing/invoice.html", context)


def _may_bill(request: ActorRequest) -> bool:
    return request.actor.is_society and request.actor.can("billing.manage")


def society_only(request: ActorRequest) -> None:
    if not request.actor.is_society:
        raise Forbidden(_("Only a society bills."))


def _owed(request: ActorRequest) -> list[dict[str, Any]]:
    """What is open, by currency: owed to a society, or by a licensee."""
    rows = (
        Invoice.objects.visible_to(request.actor)
        .order_by()
        .values("currency")
        .annotate(net=Sum("net"), still_open=Sum(STILL_OPEN))
    )
    return [{**row} for row in rows.order_by("-net")]
