"""Pages where bank entries are applied: the queue with what each may be for, one entry, refunds."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.approvals.models import Approval
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.licences.models import Licence
from royalties.bank import services as bank
from royalties.bank.models import Application, Entry
from royalties.bank.pages import society_only, tell
from royalties.billing import matching, services
from royalties.billing.models import Invoice, KeptPayment, Receipt, Refund

# What speaks for an invoice, in words.
REASONS: Final = {
    matching.NUMBER: gettext_lazy("its number is written"),
    matching.SHORT_NUMBER: gettext_lazy("a part of its number is written"),
    matching.AMOUNT: gettext_lazy("the amount is what is open"),
    matching.SUM: gettext_lazy("together they are the amount"),
    matching.NAMED: gettext_lazy("the payer has the licensee’s name"),
    matching.BEFORE: gettext_lazy("the account paid for this licensee before"),
}
_PAGE: Final = 25


class ApplyForm(forms.Form):
    """Invoices by number, the amount to take, and what banks kept on the way."""

    numbers = forms.CharField(
        label=gettext_lazy("Invoice numbers"),
        max_length=500,
        help_text=gettext_lazy("Several with commas. The first is paid first."),
    )
    amount = forms.IntegerField(
        label=gettext_lazy("Amount to take, in minor units"),
        min_value=1,
        required=False,
        help_text=gettext_lazy("Empty: as much as fits."),
    )
    charges = forms.IntegerField(
        label=gettext_lazy("Kept by banks on the way, in minor units"), min_value=0, required=False,
        help_text=gettext_lazy("What is missing to the full amount, where the society bears it."),
    )  # fmt: skip


class RefundForm(forms.Form):
    amount = forms.IntegerField(label=gettext_lazy("Amount, in minor units"), min_value=1)
    payee_name = forms.CharField(label=gettext_lazy("Account holder"), max_length=140)
    payee_account = forms.CharField(label=gettext_lazy("Account number or IBAN"), max_length=40)
    payee_bank = forms.CharField(label=pgettext_lazy("institution", "Bank"), max_length=100, required=False)
    cover = forms.ChoiceField(
        label=gettext_lazy("What covers the part that was distributed"), choices=Refund.Cover.choices, required=False,
        help_text=gettext_lazy("Only for what stands in a licence’s favour."),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, required=False)


@requires("billing.view")
@require_GET
def entries(request: ActorRequest) -> HttpResponse:
    """What is still to be applied, the largest first; each incoming entry with what it may be for, one click from booked."""
    society = society_only(request)
    sign = -1 if request.GET.get("which") == "out" else 1
    found = bank.open_entries(society.pk, sign).select_related("account")
    page = paginate(request, found, size=_PAGE, counted=False)
    rows = suggested(society.pk, list(page.object_list)) if sign == 1 else [(each, []) for each in page.object_list]
    context = {
        "page": page, "rows": rows, "sign": sign, "can_manage": request.actor.can("billing.manage"),
    }  # fmt: skip
    return render(request, "royalties/billing/entries.html", context)


def suggested(society_id: int, found: list[Entry]) -> list[tuple[Entry, list[dict[str, Any]]]]:
    """Each entry with its suggestions as a page shows them: invoices, reasons in words."""
    by_entry = services.suggestions(society_id, [each.pk for each in found])
    wanted = {pk for every in by_entry.values() for each in every for pk in each.invoices}
    invoices = Invoice.objects.select_related("licensee").in_bulk(wanted)
    return [
        (
            entry,
            [
                {
                    "invoices": [invoices[pk] for pk in each.invoices],
                    "numbers": ",".join(invoices[pk].number for pk in each.invoices),
                    "reasons": [REASONS[reason] for reason in each.reasons],
                    "certain": each.certain,
                }
                for each in by_entry.get(entry.pk, ())
            ],
        )
        for entry in found
    ]


@requires("billing.manage")
@require_POST
def match(request: ActorRequest) -> HttpResponse:
    """Apply what is certain, now."""
    society = society_only(request)
    matched = services.match(society.pk, actor=request.actor)
    messages.success(request, _("%(count)s entries were applied by themselves.") % {"count": matched.applied})
    for reason in matched.refused[:5]:
        messages.warning(request, reason)
    return redirect("royalties:bank_entries")


@requires("billing.view")
@require_GET
def entry(request: ActorRequest, entry_id: int) -> HttpResponse:
    """One entry: what the bank said, what it was for, and what can be done with what is left."""
    return _shown(request, _visible(request, entry_id), ApplyForm())


@requires("billing.manage")
@require_POST
def entry_act(request: ActorRequest, entry_id: int) -> HttpResponse:
    """Apply, keep, pay back or explain what is left of an entry, as `act` says."""
    found = _visible(request, entry_id)
    act = request.POST.get("act", "apply")
    form = ApplyForm(request.POST if act == "apply" else None)
    try:
        if act == "apply":
            if not form.is_valid():
                return _shown(request, found, form)
            _apply(request, found, form)
        elif act in _ACTS:
            _ACTS[act](request, found)
    except Refusal as refusal:
        if act == "apply":
            tell(form, refusal)
            return _shown(request, found, form)
        if isinstance(refusal, NotFound):
            raise
        messages.error(request, str(refusal))
        return redirect("royalties:bank_entry", found.pk)
    messages.success(request, _("Done."))
    waiting = act == "apply" and request.POST.get("back") == "queue"
    return redirect("royalties:bank_entries") if waiting else redirect("royalties:bank_entry", found.pk)


def _apply(request: ActorRequest, found: Entry, form: ApplyForm) -> None:
    numbers = [each.strip() for each in form.cleaned_data["numbers"].split(",") if each.strip()]
    own = Invoice.objects.visible_to(request.actor).filter(society_id=found.society_id, number__in=numbers)
    by_number = {invoice.number: invoice for invoice in own}
    for number in numbers:
        if number not in by_number:
            raise Refusal("no_invoice", _("There is no invoice “%(number)s”.") % {"number": number}, pointer="/numbers")
    services.apply_entry(
        actor=request.actor, entry=found, invoices=[by_number[number] for number in numbers],
        amount=form.cleaned_data["amount"], charges=form.cleaned_data["charges"] or 0, why=_("by hand"),
    )  # fmt: skip


def _keep(request: ActorRequest, found: Entry) -> None:
    own = Licence.objects.visible_to(request.actor).filter(society_id=found.society_id)
    licence = own.filter(ref=request.POST.get("licence", "").strip()).first()
    if licence is None:
        raise Refusal("no_licence", _("There is no such licence."))
    services.keep_for_licence(actor=request.actor, entry=found, licence=licence)


def _settle(request: ActorRequest, found: Entry) -> None:
    services.settle_refund(actor=request.actor, refund=_refund(request, _number(request, "refund")), entry=found)


def _link(request: ActorRequest, found: Entry) -> None:
    recorded = (
        Receipt.objects.visible_to(request.actor)
        .filter(pk=_number(request, "receipt"))
        .select_related("invoice", "journal")
    )
    receipt = recorded.first()
    if receipt is None:
        raise NotFound(_("There is no such receipt."))
    services.link_receipt(actor=request.actor, entry=found, receipt=receipt)


def _number(request: HttpRequest, name: str) -> int:
    said = request.POST.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else 0


_ACTS: Final[dict[str, Any]] = {
    "park": lambda request, found: bank.park(actor=request.actor, entry=found),
    "charges": lambda request, found: services.book_charges(actor=request.actor, entry=found),
    "keep": _keep,
    "settle": _settle,
    "link": _link,
}


@requires("billing.view")
@require_GET
def refunds(request: ActorRequest) -> HttpResponse:
    """What is to be paid back, and what was."""
    society_only(request)
    found = Refund.objects.visible_to(request.actor).select_related("licensee", "licence", "entry").order_by("-pk")
    return render(request, "royalties/billing/refunds.html", {"page": paginate(request, found)})


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def refund_new(request: ActorRequest) -> HttpResponse:
    """Ask to pay back: of `?entry=` or of the favour of `?licence=`."""
    society_only(request)
    chosen = _source(request)
    form = RefundForm(request.POST or None, initial=chosen["initial"])
    if request.method == "POST" and form.is_valid():
        try:
            made = services.request_refund(actor=request.actor, **chosen["of"], **form.cleaned_data)
        except Refusal as refusal:
            tell(form, refusal)
        else:
            messages.success(request, _("The refund waits for a second person."))
            return redirect("royalties:refund", made.pk)
    return render(request, "royalties/billing/refund_new.html", {"form": form} | chosen)


def _source(request: ActorRequest) -> dict[str, Any]:
    """What a refund would be of, by the address."""
    said = request.GET.get("entry", "")
    if said.isascii() and said.isdecimal() and len(said) < 19:
        found = _visible(request, int(said))
        initial = {
            "amount": found.left, "payee_name": found.counterparty, "payee_account": found.counterparty_account,
        }  # fmt: skip
        return {"of": {"entry": found}, "entry": found, "initial": initial}
    licence = (
        Licence.objects.visible_to(request.actor)
        .filter(society_id=request.actor.organisation_id, ref=request.GET.get("licence", "")[:100])
        .first()
    )
    if licence is None:
        raise NotFound(_("There is no such payment or licence."))
    currency = request.GET.get("currency", "KRW")[:3]
    stands = services.favour(licence, currency)
    return {
        "of": {"licence": licence, "currency": currency}, "licence": licence, "currency": currency, "stands": stands,
        "initial": {"amount": stands.gross},
    }  # fmt: skip


@requires("billing.view")
@require_GET
def refund(request: ActorRequest, refund_id: int) -> HttpResponse:
    """One refund: of what, to whom, and how it stands."""
    found = _refund(request, refund_id)
    context = {
        "refund": found, "form": ReasonForm(), "can_manage": request.actor.can("billing.manage"),
        "can_see_ledger": request.actor.can("ledger.view"), **_asked(request, "refund", found.pk),
    }  # fmt: skip
    return render(request, "royalties/billing/refund.html", context)


@requires("billing.manage")
@require_POST
def refund_decide(request: ActorRequest, refund_id: int) -> HttpResponse:
    """Approve, refuse, or cancel what was approved."""
    found, decision = _refund(request, refund_id), request.POST.get("decision", "")
    reason = request.POST.get("reason", "")[:500]
    try:
        if decision == "cancel":
            services.cancel_refund(actor=request.actor, refund=found, reason=reason)
        else:
            services.decide_refund(actor=request.actor, refund=found, approve=decision == "approve", reason=reason)
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Done."))
    return redirect("royalties:refund", found.pk)


def _asked(request: ActorRequest, kind: str, pk: int) -> dict[str, Any]:
    """The pending approval of an object, and whether this person may decide it."""
    asked = Approval.objects.pending().about(kind, pk).select_related("requester").first()
    may = asked is not None and request.actor.can("approvals.decide") and request.actor.can("billing.manage")
    return {"asked": asked, "can_decide": may and asked is not None and asked.requester_id != request.actor.user_id}


def _refund(request: ActorRequest, refund_id: int) -> Refund:
    society_only(request)
    own = Refund.objects.visible_to(request.actor).filter(pk=refund_id)
    found = own.select_related("licensee", "licence", "entry", "paid_by").first()
    if found is None:
        raise NotFound(_("There is no such refund."))
    return found


def _visible(request: ActorRequest, entry_id: int) -> Entry:
    society_only(request)
    found = Entry.objects.visible_to(request.actor).filter(pk=entry_id).select_related("account", "statement").first()
    if found is None:
        raise NotFound(_("There is no such bank entry."))
    return found


def _shown(request: ActorRequest, found: Entry, form: ApplyForm) -> HttpResponse:
    fits = Refund.objects.visible_to(request.actor).filter(
        status=Refund.Status.APPROVED, currency=found.currency, amount=found.left
    )
    by_hand = Receipt.objects.filter(society_id=found.society_id, entry=None, amount=found.left).select_related(
        "invoice"
    )
    incoming = found.sign == 1 and found.left
    context = {
        "entry": found,
        "suggestions": suggested(found.society_id, [found])[0][1] if incoming else [],
        "applications": _explained(Application.objects.filter(entry=found).order_by("pk")),
        "kept": KeptPayment.objects.filter(entry=found).select_related("licence").first(),
        "refunds": fits.order_by("pk")[:20] if found.sign == -1 and found.left else [],
        "by_hand": by_hand.filter(invoice__currency=found.currency).order_by("-pk")[:10]
        if incoming and not found.parked_id
        else [],
        "form": form,
        "can_manage": request.actor.can("billing.manage"),
        "can_see_ledger": request.actor.can("ledger.view"),
        "can_see_payouts": request.actor.can("payouts.view"),
    }
    return render(request, "royalties/billing/entry.html", context)


def _explained(applications: Any) -> list[Any]:
    """Applications with the invoice that a receipt was for."""
    found: list[Any] = list(applications)
    receipts = Receipt.objects.select_related("invoice", "rate").in_bulk(
        [each.object_id for each in found if each.object_kind == "receipt"]
    )
    for each in found:
        each.receipt = receipts.get(each.object_id) if each.object_kind == "receipt" else None
    return found
