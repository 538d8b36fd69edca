"""The society's work with payees: what is missing, what waits for a second person, one payee with everything about them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.approvals.models import Approval
from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.intake.services import keep
from licensing.repertoire.models import Holder
from royalties.payees import services
from royalties.payees.core import Account
from royalties.payees.forms import CheckForm, DetailsForm, PaperForm, ReadForm, ReasonForm, ThirdPartyForm, put_errors
from royalties.payees.models import Payee, PayeeDetails, PayeeReading, TaxPaper
from royalties.payees.standing import BLOCKED, holders_blocked, latest, standing, used

_SHOWN = 50


@requires("payees.view")
@require_GET
def payees(request: ActorRequest) -> HttpResponse:
    """Every holder with how they stand: paid where to, or what is missing."""
    society = Organisation.objects.of(request.actor)
    q, reason = request.GET.get("q", "").strip()[:200].replace("\0", ""), request.GET.get("reason", "")
    found: QuerySet[Holder] = Holder.objects.visible_to(request.actor).order_by("ref")
    if q:
        found = found.filter(Q(ref__istartswith=q) | Q(name__icontains=q) | Q(name_ko__icontains=q))
    if reason in BLOCKED:
        found = holders_blocked(found, society.pk, reason)
    page = paginate(request, found, counted=False)
    known = {
        payee.holder_id: payee
        for payee in Payee.objects.filter(holder_id__in=[holder.pk for holder in page.object_list])
    }
    stands = standing(society.pk, [payee.pk for payee in known.values()])
    versions = PayeeDetails.objects.in_bulk([each.details_id for each in stands.values()])
    rows = []
    for holder in page.object_list:
        payee = known.get(holder.pk)
        stand = stands.get(payee.pk) if payee else None
        blocked = stand.blocked if stand else "no_payee"
        details = versions.get(stand.details_id) if stand else None
        rows.append(
            {"holder": holder, "payee": payee, "details": details, "blocked": blocked, "why": BLOCKED.get(blocked, "")}
        )
    context = {
        "page": page, "rows": rows, "q": q, "reason": reason if reason in BLOCKED else "", "reasons": BLOCKED.items(),
        "others": Payee.objects.visible_to(request.actor).filter(holder=None).order_by("name", "pk")[:_SHOWN],
        "can_manage": request.actor.can("payees.manage"), "waiting": _waiting(request.actor).count(),
    }  # fmt: skip
    return render(request, "royalties/payees/payees.html", context)


@requires("payees.view")
@require_GET
def changes(request: ActorRequest) -> HttpResponse:
    """What waits for a second person: the oldest first. Rows of a file wait together, under their file."""
    found = _waiting(request.actor).select_related("payee__holder", "requested_by").order_by("pk")
    papers = (
        TaxPaper.objects.visible_to(request.actor)
        .filter(status="requested", made_by=None)
        .select_related("payee__holder")
    )
    context = {
        "page": paginate(request, found),
        "papers": papers.order_by("pk")[:_SHOWN],
        "user": request.actor.user_id,
    }
    return render(request, "royalties/payees/changes.html", context)


@requires("payees.view")
@never_cache
@require_GET
def payee(request: ActorRequest, payee_id: int) -> HttpResponse:
    return _shown(request, services.own_payee(_society(request), payee_id))


@requires("payees.view")
@require_GET
def details(request: ActorRequest, details_id: int) -> HttpResponse:
    """Where an approval or an event leads: one decides beside everything about the payee."""
    return redirect("royalties:payee", services.own_details(_society(request), details_id).payee_id)


@requires("payees.manage")
@never_cache
@require_http_methods(["GET", "POST"])
def change(request: ActorRequest, payee_id: int) -> HttpResponse:
    return _change(request, services.own_payee(_society(request), payee_id))


@requires("payees.manage")
@never_cache
@require_http_methods(["GET", "POST"])
def change_of_holder(request: ActorRequest, holder_id: int) -> HttpResponse:
    """The first details of a holder; afterwards they have a page of their own."""
    holder = Holder.objects.visible_to(_society(request)).select_related("society").filter(pk=holder_id).first()
    if holder is None:
        raise NotFound(_("There is no such holder."))
    return _change(request, Payee.objects.filter(holder=holder).first() or Payee(holder=holder, society=holder.society))


@requires("payees.manage")
@require_http_methods(["GET", "POST"])
def third_party(request: ActorRequest) -> HttpResponse:
    form = ThirdPartyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        society = Organisation.objects.of(request.actor)
        made = services.add_third_party(actor=request.actor, society=society, name=form.cleaned_data["name"])
        return redirect("royalties:payee_change", made.pk)
    return render(request, "royalties/payees/third_party.html", {"form": form})


@requires("payees.manage")
@require_POST
def ask(request: ActorRequest, details_id: int) -> HttpResponse:
    found = services.own_details(_society(request), details_id)
    services.ask_approval(actor=request.actor, details=found)
    messages.success(request, _("A second person can approve these details now."))
    return redirect("royalties:payee", found.payee_id)


@requires("payees.manage")
@require_POST
def decide(request: ActorRequest, details_id: int) -> HttpResponse:
    found = services.own_details(_society(request), details_id)
    yes = request.POST.get("decision") == "approve"
    services.decide_details(
        actor=request.actor, details=found, approve=yes, reason=request.POST.get("reason", "")[:500]
    )
    messages.success(
        request, _("Approved. They are used once the waiting time is over.") if yes else _("The details are refused.")
    )
    return redirect("royalties:payee", found.payee_id)


@requires("payees.manage")
@require_POST
def stop(request: ActorRequest, details_id: int) -> HttpResponse:
    """For a holder who calls: nobody pays to an account that they did not ask for."""
    found = services.own_details(_society(request), details_id)
    services.object_to(actor=request.actor, details=found, reason=request.POST.get("reason", "")[:500])
    messages.success(request, _("Stopped. Nothing will be paid to that account."))
    return redirect("royalties:payee", found.payee_id)


@requires("payees.manage")
@require_POST
def check(request: ActorRequest, details_id: int) -> HttpResponse:
    found = services.own_details(_society(request), details_id)
    form = CheckForm(request.POST)
    if not form.is_valid():
        return _shown(request, found.payee, check_form=form)
    services.record_check(actor=request.actor, details_ids=[found.pk], **form.cleaned_data)
    messages.success(request, _("The outcome is on record."))
    return redirect("royalties:payee", found.payee_id)


@requires("payees.manage")
@never_cache
@require_POST
def read(request: ActorRequest, details_id: int) -> HttpResponse:
    """Show the account once, in this answer only; the holder sees who read it and why."""
    found = services.own_details(_society(request), details_id)
    form = ReadForm(request.POST)
    if not form.is_valid():
        return _shown(request, found.payee, read_form=form)
    opened = services.reveal(actor=request.actor, details_ids=[found.pk], reason=form.cleaned_data["reason"])
    return _shown(request, found.payee, opened=opened.get(found.pk), opened_of=found.pk)


@requires("payees.manage")
@require_http_methods(["GET", "POST"])
def add_paper(request: ActorRequest, payee_id: int) -> HttpResponse:
    found = services.own_payee(_society(request), payee_id)
    form = PaperForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        file = said.pop("document")
        try:
            kept = file and keep(actor=request.actor, stream=file.file, name=file.name, organisation=found.society)
            services.request_paper(actor=request.actor, payee=found, document=kept or None, **said)
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("The certificate is on record. It counts once a second person approves it."))
            return redirect("royalties:payee", found.pk)
    return render(request, "royalties/payees/add_paper.html", {"form": form, "payee": found})


@requires("payees.view")
@require_GET
def paper(request: ActorRequest, paper_id: int) -> HttpResponse:
    found = _paper(request, paper_id)
    asked = Approval.objects.pending().about("tax_paper", found.pk).select_related("requester").first()
    actor = request.actor
    decides = actor.can("payees.manage") and actor.can("approvals.decide")
    context = {
        "paper": found, "asked": asked, "reason_form": ReasonForm(),
        "can_decide": bool(asked and decides and asked.requester_id != actor.user_id),
        "can_revoke": found.status == "approved" and actor.can("payees.manage"),
    }  # fmt: skip
    return render(request, "royalties/payees/paper.html", context)


@requires("payees.manage")
@require_POST
def decide_paper(request: ActorRequest, paper_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    reason = request.POST.get("reason", "")[:500]
    services.decide_paper(actor=request.actor, paper=_paper(request, paper_id), approve=yes, reason=reason)
    messages.success(request, _("The certificate counts on its days.") if yes else _("The certificate is refused."))
    return redirect("royalties:tax_paper", paper_id)


@requires("payees.manage")
@require_POST
def revoke_paper(request: ActorRequest, paper_id: int) -> HttpResponse:
    services.revoke_paper(
        actor=request.actor, paper=_paper(request, paper_id), reason=request.POST.get("reason", "")[:500]
    )
    messages.success(request, _("The certificate no longer counts."))
    return redirect("royalties:tax_paper", paper_id)


def _paper(request: ActorRequest, paper_id: int) -> TaxPaper:
    mine = TaxPaper.objects.visible_to(_society(request)).select_related("payee__holder", "document", "requested_by")
    found = mine.filter(pk=paper_id).first()
    if found is None:
        raise NotFound(_("There is no such certificate."))
    return found


def _society(request: ActorRequest) -> Actor:
    """These pages are the society's; a holder's representative has pages of their own."""
    if not request.actor.is_society:
        raise NotFound(_("There is no such payee."))
    return request.actor


def _waiting(actor: Actor) -> Any:
    return PayeeDetails.objects.visible_to(actor).filter(status=PayeeDetails.Status.REQUESTED, made_by=None)


def _change(request: ActorRequest, payee: Payee) -> HttpResponse:
    holder = payee.holder
    initial = (
        {"residence": holder.country, "tax_status": holder.tax_status, "holder_name": str(payee)} if holder else {}
    )
    form = DetailsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            kept = services.payee_of(holder) if holder else payee
            services.request_details(actor=request.actor, payee=kept, **form.cleaned_data)
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("The details wait for a second person. The holder is told."))
            return redirect("royalties:payee", kept.pk)
    days = services.cooling_off(payee.society_id).days
    return render(
        request, "royalties/payees/change.html", {"form": form, "payee": payee, "holder": holder, "days": days}
    )


def _shown(
    request: ActorRequest,
    payee: Payee,
    *,
    opened: Account | None = None,
    opened_of: int | None = None,
    check_form: CheckForm | None = None,
    read_form: ReadForm | None = None,
) -> HttpResponse:
    """The page of one payee; `opened` is an account that is shown in the clear in this answer."""
    actor = request.actor
    versions = list(payee.details.select_related("requested_by", "decided_by", "made_by").order_by("-version"))
    now, ahead = used(versions), latest(versions)
    asked = (
        Approval.objects.pending().about("payee_details", ahead.pk).select_related("requester").first()
        if ahead
        else None
    )
    stand = standing(payee.society_id, [payee.pk]).get(payee.pk)
    subject = ahead or now
    manages, decides = actor.can("payees.manage"), actor.can("payees.manage") and actor.can("approvals.decide")
    requested = ahead is not None and ahead.status == PayeeDetails.Status.REQUESTED
    context = {
        "payee": payee, "versions": versions, "now": now, "ahead": ahead, "subject": subject, "asked": asked, "stand": stand,
        "blocked": BLOCKED.get(stand.blocked if stand else "no_payee", ""), "manages": manages,
        "can_ask": manages and requested and asked is None and not (ahead and ahead.made_by_id),
        "can_decide": bool(requested and asked and decides and asked.requester_id != actor.user_id),
        "checks": list(subject.checks.select_related("checked_by").order_by("-id")[:_SHOWN]) if subject else [],
        "papers": list(payee.papers.order_by("-id")[:_SHOWN]),
        "readings": list(PayeeReading.objects.filter(details__payee=payee).select_related("details").order_by("-id")[:_SHOWN]),
        "opened": opened, "opened_of": opened_of, "reason_form": ReasonForm(), "check_form": check_form or CheckForm(),
        "read_form": read_form or ReadForm(),
    }  # fmt: skip
    return render(request, "royalties/payees/payee.html", context)
