"""Pages of tariffs: public to read; a society proposes. What a rate body does stands in `deciding.py`."""

from __future__ import annotations

import difflib
import json
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import paginate
from accounts.evidence.models import Event
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.tariffs import core, services
from licensing.tariffs.forms import PreviewForm, ProposeForm, RefuseForm
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.reading import BadDocument


@require_GET
def tariffs(request: ActorRequest) -> HttpResponse:
    """All published tariffs; a rate body also sees what waits for its decision."""
    actor = request.actor
    today = timezone.localdate()
    found = (
        Tariff.objects.visible_to(actor)
        .select_related("society")
        .prefetch_related(Prefetch("versions", TariffVersion.objects.in_force(today), to_attr="today"))
        .annotate(proposed=Count("versions", filter=Q(versions__status=TariffVersion.Status.PROPOSED)))
        .order_by("society__name", "name", "pk")
    )
    asked = request.GET.get("q", "").strip()
    if asked:
        found = found.filter(Q(name__icontains=asked) | Q(ref__icontains=asked) | Q(society__name__icontains=asked))
    if request.GET.get("mine") and actor.organisation_id:
        found = found.filter(society_id=actor.organisation_id)
    waiting = TariffVersion.objects.none()
    if actor.can("tariffs.determine"):
        waiting = TariffVersion.objects.filter(status=TariffVersion.Status.PROPOSED)
    context = {
        "page": paginate(request, found),
        "waiting": waiting.select_related("tariff__society").order_by("created_at")[:50],
        "can_propose": actor.is_society and actor.can("tariffs.manage"),
        "is_society": actor.is_society,
        "asked": asked,
    }
    return render(request, "licensing/tariffs/list.html", context)


@require_GET
def tariff(request: ActorRequest, tariff_id: int) -> HttpResponse:
    """One tariff: a version in plain words, as JSON, and with figures to try."""
    found = get_object_or_404(Tariff.objects.visible_to(request.actor).select_related("society"), pk=tariff_id)
    versions = list(found.versions.select_related("determined_by").order_by("-version"))
    version = _chosen(versions, request.GET.get("version", ""))
    schedule = core.parse(version.document)
    form = PreviewForm(schedule, request.GET if request.GET.get("try") else None)
    rating, refused = _tried(form)
    actor = request.actor
    proposed = version.status == TariffVersion.Status.PROPOSED
    context = {
        "tariff": found,
        "versions": versions,
        "version": version,
        "schedule": schedule,
        "document": _pretty(version.document),
        "in_force": version in found.versions.in_force(timezone.localdate()),
        "form": form,
        "rating": rating,
        "refused": refused,
        "changes": _changes(versions, version),
        "can_propose": actor.can("tariffs.manage") and actor.organisation_id == found.society_id,
        "can_decide": proposed and actor.organisation_kind == "rate_body" and actor.can("tariffs.determine"),
        "refuse_form": RefuseForm(),
        "refusal": _refusal(request, version),
    }
    return render(request, "licensing/tariffs/detail.html", context)


@requires("tariffs.manage")
@require_http_methods(["GET", "POST"])
def propose(request: ActorRequest) -> HttpResponse:
    """Put a version on record; every problem of the document is told with its place."""
    society = get_object_or_404(Organisation, pk=request.actor.organisation_id, kind=Organisation.Kind.SOCIETY)
    problems: list[dict[str, Any]] = []
    if request.method == "POST":
        form = ProposeForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                version = services.draft(
                    actor=request.actor, society=society, document=_read(form.cleaned_data["document"])
                )
            except Refusal as refusal:
                problems = list(refusal.errors)
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("The draft is saved. Publish it with your reasons: then everybody concerned is asked."))
                return redirect(_address(version))
        form = _with_text(form)
    else:
        form = ProposeForm(initial={"text": _template_for(society, request.GET.get("tariff", ""))})
    return render(request, "licensing/tariffs/propose.html", {"form": form, "problems": problems})


@require_GET
def document(request: HttpRequest, version_id: int) -> HttpResponse:
    """A version's document as a file."""
    version = get_object_or_404(TariffVersion.objects.select_related("tariff"), pk=version_id)
    name = f"{version.tariff.ref}-v{version.version}.json"
    return HttpResponse(
        _pretty(version.document),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _chosen(versions: list[TariffVersion], asked: str) -> TariffVersion:
    """The version asked for, else the one in force, else the latest."""
    today = timezone.localdate()
    by_number = {str(version.version): version for version in versions}
    in_force = (
        version
        for version in versions
        if version.status == TariffVersion.Status.DETERMINED
        and version.valid.lower <= today
        and (version.valid.upper is None or today < version.valid.upper)
    )
    return by_number.get(asked) or next(in_force, versions[0])


def _tried(form: PreviewForm) -> tuple[core.Rating | None, str]:
    """The rating of the figures, or why there is none."""
    if not form.is_bound or not form.is_valid():
        return None, ""
    try:
        return form.rating(), ""
    except Refusal as refusal:
        return None, str(refusal)


def _changes(versions: list[TariffVersion], version: TariffVersion) -> list[tuple[str, str]]:
    """What differs from the determined version before this one: (`+`, `-`, `@` or space, line)."""
    earlier = next(
        (v for v in versions if v.version < version.version and v.status == TariffVersion.Status.DETERMINED), None
    )
    if earlier is None:
        return []
    before, after = (_pretty(v.document).splitlines() for v in (earlier, version))
    lines = difflib.unified_diff(before, after, f"v{earlier.version}", f"v{version.version}", lineterm="", n=2)
    return [(line[:1], line) for line in lines]


def _refusal(request: ActorRequest, version: TariffVersion) -> str:
    """Why a version was refused, for those who may read the society's evidence."""
    if version.status != TariffVersion.Status.REFUSED:
        return ""
    events = Event.objects.visible_to(request.actor).about("tariff_version", version.pk)
    event = events.filter(verb="tariff_version.refused").first()
    return str(event.data.get("reason", "")) if event else ""


def _read(text: str | bytes) -> Any:
    try:
        return core.read_text(text)
    except BadDocument as bad:
        raise bad.translated(_) from None


def _with_text(form: ProposeForm) -> ProposeForm:
    """The form with an uploaded file's text in its text field, so that it can be put right in place."""
    uploaded = form.cleaned_data.get("document") if hasattr(form, "cleaned_data") else None
    if isinstance(uploaded, bytes):
        form.data = {**form.data, "text": uploaded.decode("utf-8-sig", "replace").replace("\x00", "\ufffd")}
    return form


def _template_for(society: Organisation, tariff_id: str) -> str:
    """The latest document of a tariff with the next number, to start a new version from."""
    if not (tariff_id.isascii() and tariff_id.isdigit() and len(tariff_id) < 19):
        return ""
    latest = TariffVersion.objects.filter(tariff_id=tariff_id, tariff__society=society).order_by("-version").first()
    if latest is None:
        return ""
    return _pretty(latest.document | {"version": services.next_version(latest.tariff)})


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _address(version: TariffVersion) -> str:
    return f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={version.version}"
