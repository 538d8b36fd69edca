"""Pages of files asked about: send one, watch it, fetch it with its answers and receipt."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing import labels, terms
from licensing.permissions import downloads, tasks
from licensing.permissions.check_forms import BulkForm
from licensing.permissions.models import BulkCheck
from licensing.permissions.services import bulk
from licensing.permissions.services.checks import Question

STEPS = {
    "intake": gettext_lazy("Reading the rows"),
    "match": gettext_lazy("Finding the works"),
    "permit": gettext_lazy("Asking about permission"),
    "write": gettext_lazy("Writing the answers"),
    "store": gettext_lazy("Storing the answers"),
}


@requires("permissions.check")
@require_http_methods(["GET", "POST"])
def bulk_checks(request: ActorRequest) -> HttpResponse:
    """The organisation's files, newest first, and the form for the next one."""
    form = BulkForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and (made := _requested(request.actor, form)):
        transaction.on_commit(lambda: tasks.send(tasks.run_check, made.pk))
        messages.success(request, _("The file is kept as received."))
        return redirect("licensing:bulk_check", made.pk)
    checks = BulkCheck.objects.visible_to(request.actor).select_related("file").order_by("-id")
    status = 422 if form.errors and request.headers.get("HX-Request") else 200
    context = {"form": form, "page": paginate(request, checks)}
    return render(request, "licensing/permissions/bulk_list.html", context, status=status)


def _requested(actor: Actor, form: BulkForm) -> BulkCheck | None:
    """The check asked for, or None with the errors in the form."""
    if not form.is_valid():
        return None
    file = form.cleaned_data["file"]
    try:
        return bulk.request_check(
            actor=actor,
            organisation=Organisation.objects.of(actor),
            question=Question(**form.asked()),
            stream=file,
            name=file.name or "",
        )
    except Forbidden:
        raise
    except Refusal as refusal:
        field = (refusal.pointer or "/file").lstrip("/")
        form.add_error(field if field in form.fields else None, str(refusal))
        return None


@requires("permissions.check")
@require_GET
def bulk_check(request: ActorRequest, check_id: int) -> HttpResponse:
    """What became of one file."""
    return render(request, "licensing/permissions/bulk_detail.html", _shown(request.actor, check_id))


@requires("permissions.check")
@require_GET
def bulk_progress(request: ActorRequest, check_id: int) -> HttpResponse:
    """The part of the page that asks for itself until the check has ended."""
    context = _shown(request.actor, check_id)
    response = render(request, "licensing/permissions/bulk_progress.html", context)
    if context["ended"]:
        response["HX-Refresh"] = "true"
    return response


def _shown(actor: Actor, check_id: int) -> dict[str, Any]:
    found = bulk.find_check(actor=actor, check_id=check_id)
    counts = [(code, labels.label(code), found.verdicts[code]) for code in _ORDER if code in found.verdicts]
    return {
        "check": found,
        "ended": found.status in (BulkCheck.Status.DONE, BulkCheck.Status.FAILED),
        "step": STEPS.get(found.step, _("Waiting for a worker")),
        "counts": counts,
        "bars": [(label, rows) for _code, label, rows in counts],
    }


_ORDER = ("licensed", "unmatched", "unlicensed", "unmandated", "reserved", "rejected")
assert set(_ORDER) == set(terms.LINE_STATUSES)


@requires("permissions.check")
@require_GET
def bulk_result(request: ActorRequest, check_id: int) -> HttpResponseBase:
    """The answered file: as it is kept (packed), or plain."""
    found = bulk.find_check(actor=request.actor, check_id=check_id)
    return downloads.answered_file(found, plain="plain" in request.GET)


@requires("permissions.check")
@require_GET
def bulk_receipt(request: ActorRequest, check_id: int) -> HttpResponse:
    found = bulk.find_check(actor=request.actor, check_id=check_id)
    if not found.receipt:
        raise NotFound(_("This check has no receipt yet."))
    return downloads.receipt_file(found.receipt, f"check-{found.pk}.jws")
