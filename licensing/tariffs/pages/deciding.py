"""A rate body's own pages: what waits for it, comments to publish, versions to decide on."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.tariffs import core, services
from licensing.tariffs.forms_procedure import DecideForm, ModerateForm
from licensing.tariffs.models import Comment, TariffVersion
from licensing.tariffs.pages.procedure import address, blame
from licensing.tariffs.reading import BadDocument

_ACTS = {
    "determine": gettext_lazy("Approve it as proposed"),
    "confirm": gettext_lazy("Confirm it for good"),
    "amend": gettext_lazy("Approve it with changes"),
    "refuse": gettext_lazy("Refuse it"),
    "interim": gettext_lazy("Let it price for the time being, until you decide"),
}


@requires("tariffs.determine")
@require_GET
def work(request: ActorRequest) -> HttpResponse:
    """What waits for this rate body: versions, the most urgent first, and comments to publish."""
    actor, today = request.actor, timezone.localdate()
    ours = Q(addressed_to_id=actor.organisation_id) | Q(addressed_to=None)
    versions = (
        TariffVersion.objects.undecided()
        .filter(ours)
        .select_related("tariff__society")
        .annotate(waiting=Count("comments", filter=Q(comments__status=Comment.Status.WAITING)))
        .order_by("decide_by", "created_at", "pk")
    )
    comments = (
        Comment.objects.waiting()
        .filter(version__addressed_to_id=actor.organisation_id or 0)
        .select_related("version__tariff__society")
        .prefetch_related("attachments__file")
        .order_by("received_at", "pk")
    )
    listed = list(versions[:100])
    for version in listed:
        version.left = (version.decide_by - today).days if version.decide_by else None  # type: ignore[attr-defined]
        version.is_open = version.takes_comments(today)  # type: ignore[attr-defined]
    context = {"versions": listed, "page": paginate(request, comments, size=20), "form": ModerateForm(auto_id=False)}
    return render(request, "licensing/tariffs/work.html", context)


@requires("tariffs.determine")
@require_POST
def moderate(request: ActorRequest, comment_id: int) -> HttpResponse:
    """Publish a comment, or withhold it for a ground."""
    seen = Comment.objects.visible_to(request.actor).filter(version__addressed_to_id=request.actor.organisation_id or 0)
    found = seen.filter(pk=comment_id).first()
    if found is None:
        raise NotFound(_("There is no such comment."))
    found = services.moderate(actor=request.actor, comment=found, ground=request.POST.get("ground", ""))
    published = found.status == Comment.Status.PUBLISHED
    said = _("The comment %(ref)s is published.") if published else _("The comment %(ref)s is withheld.")
    messages.success(request, said % {"ref": found.ref})
    return redirect("licensing:rate_work")


@requires("tariffs.determine")
@require_http_methods(["GET", "POST"])
def decide(request: ActorRequest, version_id: int) -> HttpResponse:
    """Approve, approve with changes, refuse, or let it price for the time being: what is open now."""
    version = _to_decide(request, version_id)
    acts = [(act, _ACTS[act]) for act in _open_acts(version)]
    form = DecideForm(request.POST or None, acts=acts, text=version.document)
    problems: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        try:
            decided = _decided(request, version, form)
        except Refusal as refusal:
            problems = list(refusal.errors) if isinstance(refusal, BadDocument) else []
            blame(form, refusal, {"reason": "reasons"})
        else:
            messages.success(request, _("Your decision is recorded, and public with its reasons."))
            return redirect(address(decided))
    context = {
        "version": version,
        "form": form,
        "problems": problems,
        "is_open": version.takes_comments(timezone.localdate()),
    }
    return render(request, "licensing/tariffs/decide.html", context)


def _decided(request: ActorRequest, version: TariffVersion, form: DecideForm) -> TariffVersion:
    """The version in whose place the person looks next."""
    data = form.cleaned_data
    act, reasons, actor = data["act"], data["reasons"], request.actor
    if act == "amend":
        return services.amend(actor=actor, version=version, document=_read(data["document"]), reasons=reasons)
    if act == "refuse":
        return services.refuse(actor=actor, version=version, reason=reasons)
    if act == "interim":
        return services.set_interim(actor=actor, version=version, reasons=reasons)
    return services.determine(actor=actor, version=version, reasons=reasons)


def _open_acts(version: TariffVersion) -> list[str]:
    """What may be decided today."""
    open_still = version.takes_comments(timezone.localdate())
    if version.status == TariffVersion.Status.INTERIM:
        return [] if open_still else ["confirm", "amend"]
    return ["interim"] if open_still else ["determine", "amend", "refuse", "interim"]


def _to_decide(request: ActorRequest, version_id: int) -> TariffVersion:
    versions = TariffVersion.objects.undecided().select_related("tariff__society", "addressed_to")
    found = versions.filter(pk=version_id).first()
    if found is None or not services.may_decide(request.actor, found):
        raise NotFound(_("There is nothing to decide here."))
    return found


def _read(text: str) -> Any:
    try:
        return core.read_text(text)
    except BadDocument as bad:
        raise bad.translated(_) from None
