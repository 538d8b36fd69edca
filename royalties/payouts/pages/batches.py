"""Pages of finance: what can be paid, a batch from preparation to the bank's answer, and the policy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.evidence.models import Event
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.tariffs.currencies import MINOR_DIGITS, major
from royalties.bank.models import BankAccount
from royalties.payouts import services
from royalties.payouts.core import csvfile
from royalties.payouts.forms import AnswerForm, PolicyForm, ReasonForm, ReturnForm, SettleForm, StartForm
from royalties.payouts.models import Batch, CarriedForward, Payment, PayoutPolicy
from royalties.payouts.services import looking
from royalties.payouts.tasks import go_on

STATES = (Batch.Status.PREPARED, Batch.Status.APPROVED, Batch.Status.ORDERED, Batch.Status.SENT, Batch.Status.SETTLED)
_PAYEE_REASONS = ("no_payee", "not_approved", "cooling_off", "sanctions", "incomplete")


@requires("payouts.view")
@require_GET
def payouts(request: ActorRequest) -> HttpResponse:
    """What is owed and can be paid now, what stands in the way of the rest, and all payouts, the latest first."""
    society_id = request.actor.organisation_id or 0
    today = timezone.localdate()
    currencies = services.currencies(society_id)
    waiting = []
    for code in currencies:
        rows = looking.queue(society_id, code)
        waiting.append({
            "currency": code,
            "ready": next((each for each in rows if not each.reason), None),
            "blocked": [each for each in rows if each.reason],
            "policy": services.policy_on(society_id, code, today),
            "next": services.next_payment(society_id, code),
            "open": services.open_batch(society_id, code),
        })  # fmt: skip
    context = {
        "waiting": waiting,
        "payee_reasons": _PAYEE_REASONS,
        "page": paginate(request, Batch.objects.visible_to(request.actor).order_by("-id")),
        "can_prepare": request.actor.can("payouts.prepare"),
        "can_see_payees": request.actor.can("payees.view"),
    }
    return render(request, "royalties/payouts/payouts.html", context)


@requires("payouts.prepare")
@require_http_methods(["GET", "POST"])
def start(request: ActorRequest) -> HttpResponse:
    """Begin a payout; a worker prepares it while its page shows that it moves."""
    society = Organisation.objects.get(pk=request.actor.organisation_id or 0)
    currencies = services.currencies(society.pk)
    first = request.GET.get("currency") or (currencies[0] if currencies else "")
    day = services.next_payment(society.pk, first) if first else None
    initial = {"currency": first, "execute_on": day or timezone.localdate()}
    form = StartForm(request.POST or None, currencies=currencies, initial=initial)
    if request.method == "POST" and form.is_valid():
        day = form.cleaned_data["execute_on"]
        try:
            if day < timezone.localdate():
                raise Refusal("day_is_past", _("A bank carries out nothing in the past. Choose today or a later day."))
            with transaction.atomic():
                batch = services.start(
                    actor=request.actor, society=society, execute_on=day, currency=form.cleaned_data["currency"]
                )
                transaction.on_commit(lambda: go_on.delay(batch.pk))
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("royalties:payout", batch.pk)
    return render(request, "royalties/payouts/start.html", {"form": form, "currencies": currencies})


@requires("payouts.view")
@require_GET
def payout(request: ActorRequest, batch_id: int) -> HttpResponse:
    """A batch: where its money goes as an identity, who is paid, what is carried forward, and what can be done next."""
    batch = _visible(request, batch_id)
    before = looking.batch_before(batch)
    status = request.GET.get("status", "")
    context = {
        "batch": batch,
        "states": [(state.value, state.label) for state in STATES],
        "moving": batch.status in (Batch.Status.DRAFT, Batch.Status.APPROVED) and not batch.problems,
        "before": before,
        "differences": looking.differences(batch, before) if before and batch.payments else [],
        "left": _left(batch),
        "by_status": _by_status(batch),
        "status": status if status in Payment.Status.values else "",
        "page": paginate(request, _payments(request, batch, status)),
        "answers": batch.answers.order_by("-id")[:20],
        "events": Event.objects.visible_to(request.actor).about("payout_batch", batch.pk).order_by("id"),
        "payee_reasons": _PAYEE_REASONS,
        "asked_for": request.GET.get("q", "").strip()[:64],
        **_identity(batch),
        **_next(request, batch),
    }
    return render(request, "royalties/payouts/payout.html", context)


def _payments(request: ActorRequest, batch: Batch, status: str) -> Any:
    rows = Payment.objects.visible_to(request.actor).filter(batch=batch).select_related("holder", "details")
    rows = rows.filter(status=status) if status in Payment.Status.values else rows
    asked = request.GET.get("q", "").strip()[:64]
    rows = rows.filter(Q(holder__ref=asked) | Q(end_to_end_id=asked)) if asked else rows
    return rows.order_by("-net", "id")


def _identity(batch: Batch) -> dict[str, Any]:
    """What was taken of what holders are owed = tax + holders + third parties."""
    parts = services.identity(batch)
    shown = [(name.removeprefix("tax:"), amount) for name, amount in parts.items() if name.startswith("tax:")]
    return {
        "taxes": shown,
        "own": parts["own"],
        "others": parts["others"],
        "sum_of_parts": sum(parts.values()),
        "chart": [
            *((_(name), amount) for name, amount in shown),
            (_("To holders"), parts["own"]),
            (_("To others with a right to it"), parts["others"]),
        ],
    }


def _left(batch: Batch) -> list[dict[str, Any]]:
    labels = dict(CarriedForward.Reason.choices)
    rows = CarriedForward.objects.filter(batch=batch).order_by().values("reason")
    sums = rows.annotate(holders=Count("id"), amount=Sum("amount")).order_by("-amount")
    return [row | {"label": labels.get(row["reason"], row["reason"])} for row in sums]


def _by_status(batch: Batch) -> list[dict[str, Any]]:
    labels = dict(Payment.Status.choices)
    rows = Payment.objects.filter(batch=batch).order_by().values("status")
    sums = rows.annotate(payments=Count("id"), amount=Sum("net")).order_by("status")
    return [row | {"label": labels[row["status"]]} for row in sums]


def _next(request: ActorRequest, batch: Batch) -> dict[str, Any]:
    """What this actor may do with the batch as it stands."""
    actor, status = request.actor, batch.status
    asked = services.pending(batch)
    prepares, approves = actor.can("payouts.prepare"), actor.can("payouts.approve")
    gone = status in (Batch.Status.SENT, Batch.Status.SETTLED)
    return {
        "asked": asked,
        "own_request": bool(asked and asked.requester_id == actor.user_id),
        "can_request": prepares and status == Batch.Status.PREPARED and asked is None,
        "can_decide": bool(
            approves and actor.can("approvals.decide") and asked and asked.requester_id != actor.user_id
            and status == Batch.Status.PREPARED
        ),
        "can_discard": prepares and status in (Batch.Status.DRAFT, Batch.Status.PREPARED, Batch.Status.APPROVED),
        "can_order": approves and status == Batch.Status.APPROVED,
        "can_take": approves and (status == Batch.Status.ORDERED or gone),
        "can_answer": prepares and gone,
        "can_settle": prepares and status == Batch.Status.SENT,
        "can_see_ledger": actor.can("ledger.view"),
        "can_see_payees": actor.can("payees.view"),
        "reason_form": ReasonForm(),
        "answer_form": AnswerForm(),
        "settle_form": SettleForm(initial={"on": timezone.localdate()}, auto_id="settle_%s"),
    }  # fmt: skip


@requires("payouts.view")
@require_GET
def progress(request: ActorRequest, batch_id: int) -> HttpResponse:
    """The moving part of a batch's page; once it rests, the whole page is loaded anew."""
    batch = _visible(request, batch_id)
    if batch.status not in (Batch.Status.DRAFT, Batch.Status.APPROVED) or batch.problems:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "royalties/payouts/_progress.html", {"batch": batch})


@requires("payouts.prepare")
@require_POST
def ask(request: ActorRequest, batch_id: int) -> HttpResponse:
    services.request(actor=request.actor, batch=_visible(request, batch_id))
    messages.success(request, _("A second person can approve the payout now."))
    return redirect("royalties:payout", batch_id)


@requires("payouts.approve")
@require_POST
def decide(request: ActorRequest, batch_id: int) -> HttpResponse:
    """Approve or refuse; approved, a worker orders it."""
    yes = request.POST.get("decision") == "approve"
    reason = request.POST.get("reason", "")[:2000]
    with transaction.atomic():
        services.approve(actor=request.actor, batch=_visible(request, batch_id), approve=yes, reason=reason)
        if yes:
            transaction.on_commit(lambda: go_on.delay(batch_id))
    messages.success(request, _("The payout is approved.") if yes else _("The payout is refused; it can be discarded."))
    return redirect("royalties:payout", batch_id)


@requires("payouts.approve")
@require_POST
def order(request: ActorRequest, batch_id: int) -> HttpResponse:
    """Order an approved batch again, where the worker was cut off."""
    batch = _visible(request, batch_id)
    go_on.delay(batch.pk)
    return redirect("royalties:payout", batch_id)


@requires("payouts.prepare")
@require_POST
def discard(request: ActorRequest, batch_id: int) -> HttpResponse:
    services.discard(
        actor=request.actor, batch=_visible(request, batch_id), reason=request.POST.get("reason", "")[:2000]
    )
    messages.success(request, _("The payout is discarded; what it would have paid is still owed."))
    return redirect("royalties:payout", batch_id)


@requires("payouts.approve")
@never_cache
@require_POST
def take_file(request: ActorRequest, batch_id: int, form: str) -> FileResponse:
    """The bank's file. The first time it marks the payout as sent."""
    found = services.bank_file(
        actor=request.actor, batch=_visible(request, batch_id), form="csv" if form == "csv" else "pain.001"
    )
    response = FileResponse(found.stream, as_attachment=True, filename=found.name, content_type=found.content_type)
    response["X-Content-SHA256"] = found.sha256
    return response


@requires("payouts.prepare")
@require_POST
def answer(request: ActorRequest, batch_id: int) -> HttpResponse:
    """Take in a pain.002 of this payout."""
    batch = _visible(request, batch_id)
    form = AnswerForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose the file with the bank’s answer."))
        return redirect("royalties:payout", batch_id)
    found = services.import_answer(
        actor=request.actor, society=batch.society, stream=form.cleaned_data["file"].file, batch=batch
    )
    text = _("The bank says: %(settled)s carried out, %(rejected)s refused, %(pending)s still under way.")
    messages.success(request, text % {"settled": found.settled, "rejected": found.rejected, "pending": found.pending})
    return redirect("royalties:payout", batch_id)


@requires("payouts.prepare")
@require_POST
def settle(request: ActorRequest, batch_id: int) -> HttpResponse:
    """Record that everything still on its way was carried out."""
    batch = _visible(request, batch_id)
    form = SettleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the day and the bank’s reference."))
        return redirect("royalties:payout", batch_id)
    done = services.settle_by_hand(
        actor=request.actor, batch=batch, payment_ids=None, on=form.cleaned_data["on"],
        bank_ref=form.cleaned_data["bank_ref"],
    )  # fmt: skip
    messages.success(request, _("%(payments)s payments are recorded as carried out.") % {"payments": done.settled})
    return redirect("royalties:payout", batch_id)


@requires("payouts.prepare")
@require_POST
def entries(request: ActorRequest) -> HttpResponse:
    """Look in the bank's statements for payouts."""
    society = Organisation.objects.get(pk=request.actor.organisation_id or 0)
    done = services.apply_entries(actor=request.actor, society=society)
    text = _("Bank entries applied: %(settled)s that carry payments out, %(returned)s that bring them back.")
    messages.success(request, text % done)
    return redirect("royalties:payouts")


@requires("payouts.view")
@require_http_methods(["GET", "POST"])
def payment(request: ActorRequest, payment_id: int) -> HttpResponse:
    """One payment, how it came about, and, for those who prepare, that it came back."""
    rows = Payment.objects.visible_to(request.actor).select_related(
        "batch", "holder", "details", "journal", "back", "resend_of", "society"
    )
    found = rows.filter(pk=payment_id).first()
    if found is None or not request.actor.is_society:
        raise NotFound(_("There is no such payment."))
    may = request.actor.can("payouts.prepare") and found.status in (Payment.Status.SENT, Payment.Status.SETTLED)
    form = ReturnForm(request.POST or None, initial={"on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            services.return_by_hand(
                actor=request.actor, batch=found.batch, payment_ids=[found.pk], on=form.cleaned_data["on"],
                reason=form.cleaned_data["reason"], bank_ref=form.cleaned_data["bank_ref"],
            )  # fmt: skip
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The whole amount is owed to the holder again."))
            return redirect("royalties:payment", found.pk)
    context = {"payment": found, "form": form if may else None, "can_see_ledger": request.actor.can("ledger.view")}
    return render(request, "royalties/payouts/payment.html", context)


@requires("payouts.view")
@require_http_methods(["GET", "POST"])
def policy(request: ActorRequest) -> HttpResponse:
    """The policies of the society, and the form for the next one."""
    society = Organisation.objects.get(pk=request.actor.organisation_id or 0)
    accounts = BankAccount.objects.filter(society=society).order_by("id")
    kept = PayoutPolicy.objects.visible_to(request.actor).select_related("debtor").order_by("currency", "-valid_from")
    currencies = sorted({*services.currencies(society.pk), *(each.currency for each in accounts)} & MINOR_DIGITS.keys())
    currencies = currencies or ["KRW"]
    can_set = request.actor.can("payouts.prepare")
    form = PolicyForm(
        request.POST or None, accounts=accounts, currencies=currencies, initial=_initial(kept.first(), currencies[0])
    )
    if request.method == "POST" and can_set and form.is_valid():
        try:
            services.set_policy(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The policy is laid down."))
            return redirect("royalties:payout_policy")
    context = {"form": form, "can_set": can_set, "page": paginate(request, kept), "today": timezone.localdate()}
    return render(request, "royalties/payouts/policy.html", context)


def _initial(last: PayoutPolicy | None, currency: str) -> dict[str, Any]:
    today = timezone.localdate()
    if last is None:
        return {"currency": currency, "valid_from": today, "threshold": "0", "schedule": "monthly", "day": 10}
    return {
        "currency": last.currency, "valid_from": today, "threshold": major(last.threshold, last.currency),
        "schedule": last.schedule, "day": last.day, "debtor": last.debtor_id, "remittance": last.remittance,
        "ascii_only": last.ascii_only, "columns": csvfile.as_lines(last.columns),
    }  # fmt: skip


def _visible(request: ActorRequest, batch_id: int) -> Batch:
    found = (
        Batch.objects.visible_to(request.actor)
        .select_related("society", "policy__debtor", "journal", "transferred")
        .filter(pk=batch_id)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such payout."))
    return found
