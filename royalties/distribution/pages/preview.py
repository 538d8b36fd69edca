"""Two versions of the rule on the same money: ask, wait, look."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from royalties.distribution import services
from royalties.distribution.forms import PreviewForm
from royalties.distribution.models import Rule, RulePreview, Run
from royalties.distribution.services.notes import write_note
from royalties.distribution.services.preview import ask_preview
from royalties.distribution.tasks import compute_preview


@requires("distribution.view")
@require_http_methods(["GET", "POST"])
def previews(request: ActorRequest) -> HttpResponse:
    """Comparisons so far; POST asks for one."""
    rules = Rule.objects.visible_to(request.actor).order_by("ref", "-version")
    waiting = services.waiting_money(request.actor.organisation_id or 0)
    initial = {"start": waiting[0].start, "end": waiting[0].end, "currency": waiting[0].currency} if waiting else {}
    form = PreviewForm(request.POST or None, rules=rules, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            with transaction.atomic():
                made = ask_preview(
                    actor=request.actor, one=data["one"], other=data["other"], period=(data["start"], data["end"]),
                    currency=data["currency"].upper(),
                )  # fmt: skip
                transaction.on_commit(lambda: compute_preview.delay(made.pk))
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("royalties:rule_preview", made.pk)
    found = RulePreview.objects.visible_to(request.actor).select_related("one", "other").order_by("-id")
    context = {"page": paginate(request, found, counted=False), "form": form, "enough": rules.count() > 1}
    return render(request, "royalties/distribution/previews.html", context)


@requires("distribution.view")
@require_GET
def preview(request: ActorRequest, preview_id: int) -> HttpResponse:
    """One comparison; asked for by htmx while a worker is at it, only what changes."""
    visible = RulePreview.objects.visible_to(request.actor).select_related("one", "other")
    found = visible.filter(pk=preview_id).first()
    if found is None:
        raise NotFound(_("There is no such comparison."))
    context = {"preview": found, **(_shown(found.result) if found.result else {})}
    part = request.headers.get("HX-Request") and found.status == RulePreview.Status.WAITING
    answer = render(request, f"royalties/distribution/{'_preview_waiting' if part else 'preview'}.html", context)
    if request.headers.get("HX-Request") and not part:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return answer


def _shown(result: dict[str, Any]) -> dict[str, Any]:
    """The two sides line by line: (what, one, other, difference), and the holders with their difference."""
    one, other = result["sides"]
    names = [*one["deductions"], *(name for name in other["deductions"] if name not in one["deductions"])]
    lines = [(name, one["deductions"].get(name, 0), other["deductions"].get(name, 0)) for name in names]
    labels = (
        ("reserve", _("Reserve")), ("distributable", _("Distributable")), ("payable", _("Payable")), ("held", _("Held")),
        ("suspense", _("Suspense")),
    )  # fmt: skip
    lines += [(label, one[key], other[key]) for key, label in labels]
    return {
        "pool": one["pool"],
        "lines": [(label, a, b, b - a) for label, a, b in lines],
        "holders": [each | {"difference": each["after"] - each["before"]} for each in result["holders"]],
        "result": result,
    }


@requires("distribution.view")
@require_POST
def note(request: ActorRequest, run_id: int) -> HttpResponse:
    """Write a note on a run."""
    run = Run.objects.visible_to(request.actor).filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("There is no such run."))
    write_note(actor=request.actor, run=run, text=request.POST.get("text", ""))
    messages.success(request, _("The note is written."))
    return redirect("royalties:run", run_id)
