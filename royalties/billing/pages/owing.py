"""Pages of what is owed too long: the overdue list with its ages, steps of reminding, disputes, write-offs; and tax invoices."""

from __future__ import annotations

import datetime
import json
from typing import IO, Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.approvals.models import Approval
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.intake.core import SafeWriter
from licensing.licences.models import Licence
from royalties.bank.pages import society_only, tell
from royalties.billing import dunning, services
from royalties.billing.forms import day
from royalties.billing.models import DunningPolicy, Invoice, TaxDetails, VatExemption, WriteOff
from royalties.billing.services import taxinvoices


class PolicyForm(forms.Form):
    """Days after it was due, with commas; one text for all steps in each language, empty for the house's own."""

    days = forms.CharField(
        label=gettext_lazy("Remind after so many days"),
        max_length=60,
        initial="1, 14, 30",
        help_text=gettext_lazy("After it was due, with commas."),
    )
    text_ko = forms.CharField(
        label=gettext_lazy("Text in Korean"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    text_en = forms.CharField(
        label=gettext_lazy("Text in English"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    interest_percent = forms.DecimalField(
        label=gettext_lazy("Interest for late payment, percent a year"), required=False, min_value=0, max_value=100, max_digits=6,
        decimal_places=3, help_text=gettext_lazy("Only shown, never billed. In Korea 6 by art. 54 of the Commercial Act."),
    )  # fmt: skip
    interest_source = forms.CharField(label=gettext_lazy("Source of the rate"), required=False, max_length=300)
    valid_from = day(gettext_lazy("From"))

    def levels(self) -> list[dict[str, Any]]:
        texts = {lang: self.cleaned_data[f"text_{lang}"] for lang in ("ko", "en") if self.cleaned_data[f"text_{lang}"]}
        said = [each.strip() for each in self.cleaned_data["days"].split(",")]
        return [
            {"days": int(each) if each.isascii() and each.isdecimal() and len(each) < 5 else 0, "text": texts}
            for each in said
        ]


class WriteOffForm(forms.Form):
    ground = forms.ChoiceField(label=gettext_lazy("Why it is given up"), choices=WriteOff.Ground.choices)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, required=False)


class TaxForm(forms.Form):
    """What tax invoices say of one party."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("Party"))
    number = forms.CharField(label=gettext_lazy("Business registration number"), max_length=20)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=70)
    representative = forms.CharField(label=gettext_lazy("Representative"), max_length=30)
    address = forms.CharField(label=gettext_lazy("Address"), max_length=150, required=False)
    trade = forms.CharField(label=gettext_lazy("Type of business"), max_length=40, required=False)
    item = forms.CharField(label=gettext_lazy("Item of business"), max_length=40, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=100, required=False)

    def __init__(self, *args: Any, society: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        licensees = Licence.objects.filter(society=society).values("licensee_id")
        field: Any = self.fields["organisation"]
        field.queryset = Organisation.objects.filter(pk__in=[society.pk]) | Organisation.objects.filter(
            pk__in=licensees
        )


class ExemptionForm(forms.Form):
    licensee = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("Licensee"))
    treatment = forms.ChoiceField(label=gettext_lazy("VAT"), choices=VatExemption.Treatment.choices)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("For example: a service for abroad, art. 24 of the VAT Act."),
    )
    valid_from = day(gettext_lazy("For invoices issued from"))

    def __init__(self, *args: Any, society: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["licensee"]
        field.queryset = Organisation.objects.filter(
            pk__in=Licence.objects.filter(society=society).values("licensee_id")
        )


@requires("billing.view")
@require_GET
def late(request: ActorRequest) -> HttpResponse:
    """What is overdue, the longest first: how old, how far reminding came, what is disputed."""
    society, today = society_only(request), timezone.localdate()
    page = paginate(request, services.late_invoices(society.pk, today))
    policy = services.policy_on(society.pk, today)
    context = {
        "page": page, "rows": services.late(page.object_list, policy, today), "aged": services.ageing(society.pk, today),
        "policy": policy, "buckets": dunning.BUCKETS, "can_bill": request.actor.can("billing.manage"),
    }  # fmt: skip
    return render(request, "royalties/billing/late.html", context)


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def reminding(request: ActorRequest) -> HttpResponse:
    """The steps of reminding by date, and new ones."""
    society = society_only(request)
    form = PolicyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.set_dunning_policy(
                actor=request.actor, society=society, levels=form.levels(), valid_from=given["valid_from"],
                interest_percent=given["interest_percent"], interest_source=given["interest_source"],
            )  # fmt: skip
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The steps are recorded."))
            return redirect("royalties:reminding")
    policies = DunningPolicy.objects.filter(society=society).order_by("-valid")
    return render(request, "royalties/billing/reminding.html", {"form": form, "policies": policies, "can_bill": True})


@requires("billing.manage")
@require_POST
def invoice_dispute(request: ActorRequest, invoice_id: int) -> HttpResponse:
    """Note a dispute, or how it ended."""
    found, reason = _invoice(request, invoice_id), request.POST.get("reason", "")
    today = timezone.localdate()
    try:
        if request.POST.get("decision") == "close":
            services.close_dispute(actor=request.actor, invoice=found, outcome=reason, today=today)
        else:
            services.dispute_invoice(actor=request.actor, invoice=found, reason=reason, today=today)
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("royalties:invoice", found.pk)


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def write_off_new(request: ActorRequest, invoice_id: int) -> HttpResponse:
    """Ask to give up what is open on an invoice."""
    found = _invoice(request, invoice_id)
    form = WriteOffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.request_write_off(actor=request.actor, invoice=found, **form.cleaned_data)
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The write-off waits for a second person."))
            return redirect("royalties:write_off", made.pk)
    return render(request, "royalties/billing/write_off_new.html", {"form": form, "invoice": found})


@requires("billing.view")
@require_GET
def write_offs(request: ActorRequest) -> HttpResponse:
    society_only(request)
    found: Any = WriteOff.objects.visible_to(request.actor)
    page = paginate(request, found.select_related("invoice__licensee").order_by("-pk"))
    context = {"page": page, "can_bill": request.actor.can("billing.manage")}
    return render(request, "royalties/billing/write_offs.html", context)


@requires("billing.view")
@require_GET
def write_off(request: ActorRequest, write_off_id: int) -> HttpResponse:
    """One write-off, where a second person decides it."""
    found = _write_off(request, write_off_id)
    asked = Approval.objects.pending().about("write_off", found.pk).select_related("requester").first()
    may = request.actor.can("approvals.decide") and request.actor.can("billing.manage")
    context = {
        "write_off": found, "form": ReasonForm(), "asked": asked,
        "can_decide": may and asked is not None and asked.requester_id != request.actor.user_id,
        "can_see_ledger": request.actor.can("ledger.view"),
    }  # fmt: skip
    return render(request, "royalties/billing/write_off.html", context)


@requires("billing.manage")
@require_POST
def write_off_decide(request: ActorRequest, write_off_id: int) -> HttpResponse:
    found, approve = _write_off(request, write_off_id), request.POST.get("decision") == "approve"
    reason = request.POST.get("reason", "")[:500]
    try:
        services.decide_write_off(actor=request.actor, write_off=found, approve=approve, reason=reason)
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Done."))
    return redirect("royalties:write_off", found.pk)


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def tax_details(request: ActorRequest) -> HttpResponse:
    """The parties' details for tax invoices, and the file for the system that issues them."""
    society = society_only(request)
    form = TaxForm(request.POST or None, society=society)
    if request.method == "POST" and form.is_valid():
        try:
            services.record_tax_details(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The details are recorded."))
            return redirect("royalties:tax_details")
    found = TaxDetails.objects.filter(society=society).select_related("organisation").order_by("name")
    since, until = _month(request)
    made = services.tax_invoices(request.actor, since=since, until=until)
    context = {
        "form": form, "details": found, "page": paginate(request, made), "since": since, "until": until, "can_bill": True,
    }  # fmt: skip
    return render(request, "royalties/billing/tax_details.html", context)


@requires("billing.manage")
@require_POST
def tax_invoice_new(request: ActorRequest, invoice_id: int) -> HttpResponse:
    """Make the data of an invoice's tax invoice."""
    found = _invoice(request, invoice_id)
    try:
        services.make_tax_invoice(actor=request.actor, invoice=found)
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The data of the tax invoice are made."))
    return redirect("royalties:invoice", found.pk)


@requires("billing.view")
@require_GET
def tax_export(request: ActorRequest) -> HttpResponse:
    """Tax invoices of a span of days, as CSV (for spreadsheets) or JSON."""
    society_only(request)
    since, until = _month(request)
    found = services.tax_invoices(request.actor, since=since, until=until)
    name = f"tax-invoices-{since}"
    if request.GET.get("format") == "json":
        data = {"tax_invoices": [taxinvoices.as_data(each) for each in found]}
        return HttpResponse(json.dumps(data, ensure_ascii=False), content_type="application/json")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.write("\ufeff")
    writer = SafeWriter(cast("IO[str]", response))
    writer.row(taxinvoices.COLUMNS)
    writer.rows(taxinvoices.rows(found))
    return response


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def vat_exemptions(request: ActorRequest) -> HttpResponse:
    """Licensees that are billed without VAT, with the reason, and a new one."""
    society = society_only(request)
    form = ExemptionForm(request.POST or None, society=society)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_vat_exemption(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The rule is recorded."))
            return redirect("royalties:vat_exemptions")
    found = VatExemption.objects.filter(society=society).select_related("licensee").order_by("-valid", "pk")
    context = {"page": paginate(request, found), "form": form, "can_bill": True}
    return render(request, "royalties/billing/vat_exemptions.html", context)


def _month(request: ActorRequest) -> tuple[datetime.date, datetime.date]:
    """The days asked for, half-open; this month where none are."""
    today = timezone.localdate()
    first = today.replace(day=1)
    usual = (first, (first + datetime.timedelta(days=32)).replace(day=1))
    said = []
    for name, fallback in zip(("from", "to"), usual, strict=True):
        try:
            said.append(datetime.date.fromisoformat(request.GET.get(name, "")[:10]))
        except ValueError:
            said.append(fallback)
    return said[0], said[1]


def _invoice(request: ActorRequest, invoice_id: int) -> Invoice:
    society_only(request)
    found = Invoice.objects.visible_to(request.actor).filter(pk=invoice_id).select_related("licensee").first()
    if found is None:
        raise NotFound(_("There is no such invoice."))
    return found


def _write_off(request: ActorRequest, write_off_id: int) -> WriteOff:
    society_only(request)
    own: Any = WriteOff.objects.visible_to(request.actor).filter(pk=write_off_id)
    found: WriteOff | None = own.select_related("invoice__licensee", "journal").first()
    if found is None:
        raise NotFound(_("There is no such write-off."))
    return found
