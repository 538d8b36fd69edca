"""Finance: who else has a right to a member's money; a new one; one with its history, its end and its approval."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.licences.downloads import kept_file
from royalties.entitlements import services
from royalties.entitlements.forms import EndForm, EntitlementForm, ReasonForm
from royalties.entitlements.models import Entitlement, EntitlementMove, EntitlementPayment
from royalties.entitlements.pages.common import kept, one_of, put_errors, society_of, waiting
from royalties.entitlements.services import rights

_SHOWN = 20


@requires("payees.view")
@require_GET
def entitlements(request: ActorRequest) -> HttpResponse:
    """What, to whom, until when and how much is left; `?kind=` and `?q=` (the member's reference) narrow."""
    society_of(request)
    kind, asked = request.GET.get("kind", ""), request.GET.get("q", "").strip()[:64]
    found = Entitlement.objects.visible_to(request.actor).select_related("holder", "to_holder", "to_payee__holder")
    if kind in Entitlement.Kind.values:
        found = found.filter(kind=kind)
    if asked:
        found = found.filter(holder__ref=asked)
    page = paginate(request, found.order_by("-id"), counted=False)
    today = timezone.localdate()
    context = {
        "page": page,
        "rows": [(each, rights.status_on(each, today)) for each in page.object_list],
        "kind": kind,
        "kinds": Entitlement.Kind.choices,
        "q": asked,
        "can_manage": request.actor.can("payees.manage"),
    }
    return render(request, "royalties/entitlements/entitlements.html", context)


@requires("payees.manage")
@require_http_methods(["GET", "POST"])
def entitlement_new(request: ActorRequest) -> HttpResponse:
    society = society_of(request)
    form = EntitlementForm(request.POST or None, request.FILES or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.request_entitlement(
                actor=request.actor, society=society, document=kept(request, form), **form.said()
            )
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("It is on record. It counts once a second person approves it."))
            return redirect("royalties:entitlement", made.pk)
    return render(request, "royalties/entitlements/entitlement_new.html", {"form": form})


@requires("payees.view")
@require_GET
def entitlement(request: ActorRequest, entitlement_id: int) -> HttpResponse:
    return _shown(request, _visible(request, entitlement_id), EndForm())


@requires("payees.view")
@require_GET
def entitlement_file(request: ActorRequest, entitlement_id: int) -> StreamingHttpResponse:
    found = _visible(request, entitlement_id)
    return kept_file(found.document, found.document.name, "application/octet-stream")


@requires("payees.manage")
@require_POST
def entitlement_decide(request: ActorRequest, entitlement_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    services.decide_entitlement(
        actor=request.actor, entitlement=_visible(request, entitlement_id), approve=yes, reason=request.POST.get("reason", "")[:1000],
    )  # fmt: skip
    messages.success(request, _("Approved.") if yes else _("Refused."))
    return redirect("royalties:entitlement", entitlement_id)


@requires("payees.manage")
@require_POST
def entitlement_end(request: ActorRequest, entitlement_id: int) -> HttpResponse:
    """Ask to end it."""
    found, form = _visible(request, entitlement_id), EndForm(request.POST)
    if form.is_valid():
        try:
            services.request_end(actor=request.actor, entitlement=found, **form.cleaned_data)
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("A second person can approve the end now."))
            return redirect("royalties:entitlement", entitlement_id)
    return _shown(request, found, form)


@requires("payees.manage")
@require_POST
def entitlement_end_decide(request: ActorRequest, entitlement_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    services.decide_end(
        actor=request.actor, entitlement=_visible(request, entitlement_id), approve=yes, reason=request.POST.get("reason", "")[:1000],
    )  # fmt: skip
    messages.success(request, _("It ends as asked for.") if yes else _("It stands as it was."))
    return redirect("royalties:entitlement", entitlement_id)


def _visible(request: ActorRequest, pk: int) -> Entitlement:
    related = ("holder", "to_holder", "to_payee__holder", "document", "society")
    found: Entitlement = one_of(request, Entitlement, pk, *related)
    return found


def _shown(request: ActorRequest, found: Entitlement, form: EndForm) -> HttpResponse:
    about, manage = rights.reference(found), "payees.manage"
    open_now = found.status == Entitlement.Status.APPROVED and found.end_asked is None
    context = {
        "entitlement": found,
        "status": rights.status_on(found),
        "approval": waiting(request, rights.KIND, about, manage),
        "ending": waiting(request, rights.END, about, manage),
        "moves": EntitlementMove.objects.filter(entitlement=found).order_by("-id")[:_SHOWN],
        "payments": EntitlementPayment.objects.filter(entitlement=found).order_by("-id")[:_SHOWN],
        "end_form": form,
        "can_end": open_now and request.actor.can(manage),
        "reason_form": ReasonForm(),
        "sees_ledger": request.actor.can("ledger.view"),
    }
    return render(request, "royalties/entitlements/entitlement.html", context)
