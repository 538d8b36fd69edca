"""The tariff editor: a draft in fields, beside it what it comes to and what is wrong, all without a script of our own.

Each button is a submit that redraws the editor; with htmx only the part that changes is exchanged. What is written is
always the document itself (`editing`), so nothing is lost on the way and its own reader says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.tariffs import core, editing, examples, services
from licensing.tariffs.editing import pretty
from licensing.tariffs.forms import PreviewForm
from licensing.tariffs.forms_editor import Editor
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.reading import MAX_BYTES, BadDocument, Problem
from licensing.tariffs.schedule import MAX_CHARGES

OPEN_AT_FIRST = 4
FIGURE = re.compile(r"use|kind|tier|works|units_[a-z]{1,20}|(count|base)_[0-9]{1,3}")


@requires("tariffs.manage")
@require_http_methods(["GET", "POST"])
def new(request: ActorRequest) -> HttpResponse:
    """A version to be: from an example, from the tariff's latest version, or from nothing."""
    society = _society(request)
    if request.method == "POST":
        return _posted(request, society, None)
    document = _start(request, society)
    return _drawn(request, None, document, _few(document), problems=())


@requires("tariffs.manage")
@require_http_methods(["GET", "POST"])
def edit(request: ActorRequest, version_id: int) -> HttpResponse:
    """A draft of one's own. Once published a version is fixed: it is shown, not edited."""
    society = _society(request)
    version = get_object_or_404(TariffVersion.objects.select_related("tariff"), pk=version_id, tariff__society=society)
    if version.status != TariffVersion.Status.DRAFT:
        messages.info(request, _("This version is published, so it cannot be changed. Draft the next one."))
        return HttpResponseRedirect(_page_of(version))
    if request.method == "POST":
        return _posted(request, society, version)
    return _drawn(request, version, version.document, _few(version.document), problems=_problems(version.document)[0])


@requires("tariffs.manage")
@require_POST
def preview(request: ActorRequest) -> HttpResponse:
    """What the fields come to as they stand, and what is wrong with them: the parts that htmx exchanges."""
    document, opened = editing.read(_fields(request))
    problems, schedule = _problems(document)
    editor = Editor(document, opened)
    editor.tell(problems)
    context = _tried(request, schedule) | {
        "editor": editor, "document": pretty(document), "figures_stay": "figures" in request.GET,
    }  # fmt: skip
    return render(request, "licensing/tariffs/editor_live.html", context)


def _posted(request: ActorRequest, society: Organisation, version: TariffVersion | None) -> HttpResponse:
    do = request.POST.get("do", "")
    document, opened = editing.read(_fields(request))
    if do == "download":
        return _file(document)
    if do == "fill":
        try:
            document = _pasted(request)
        except BadDocument as bad:
            context = {"json_problems": bad.translated(_).problems, "json_text": _given(request)}
            return _drawn(request, version, document, opened, problems=_problems(document)[0], **context)
        return _drawn(request, version, document, _few(document), problems=())
    if do == "save":
        return _saved(request, society, version, document, opened)
    document, opened = editing.act(document, opened, do)
    document = editing.with_tiers(document)
    problems = () if do.startswith(("add", "tier", "open")) else _problems(document)[0]
    latest = {int(number) for number in re.findall(r"^open:(\d{1,4})$", do)}
    if do == "add":
        latest = {len(editing.charges_of(document)) - 1}
    return _drawn(request, version, document, editing.within(document, opened, latest), problems=problems)


def _saved(
    request: ActorRequest,
    society: Organisation,
    version: TariffVersion | None,
    document: dict[str, Any],
    opened: set[int],
) -> HttpResponse:
    """Keep the draft; where it cannot be kept, show the form with what is wrong."""
    problems, _schedule = _problems(document)
    refused = ""
    if not problems:
        try:
            if version is None:
                version = services.draft(actor=request.actor, society=society, document=document)
            else:
                version = services.revise(actor=request.actor, version=version, document=document)
        except Refusal as refusal:
            refused = str(refusal)
        else:
            messages.success(request, _("The draft is saved. Only your society sees it until it is published."))
            return HttpResponseRedirect(reverse("licensing:tariff_edit", args=[version.pk]))
    wrong = {int(found[1]) for problem in problems if (found := re.match(r"/charges/(\d+)", problem.pointer))}
    opened = editing.within(document, opened | wrong, wrong)
    return _drawn(request, version, document, opened, problems=problems, refused=refused)


def _drawn(
    request: ActorRequest,
    version: TariffVersion | None,
    document: dict[str, Any],
    opened: Collection[int],
    *,
    problems: Collection[Problem],
    **more: Any,
) -> HttpResponse:
    editor = Editor(document, opened)
    editor.tell(problems)
    tried = _tried(request, _problems(document)[1])
    editor.say(tried["schedule"])
    if request.POST.get("do") == "add" and editor.charges and (form := editor.charges[-1].form):
        form.fields["name"].widget.attrs["autofocus"] = True
    address = reverse("licensing:tariff_edit", args=[version.pk]) if version else reverse("licensing:tariff_new")
    context = {
        "editor": editor,
        "version": version,
        "address": address,
        "document": pretty(document),
        "examples": [(name, title) for name, (title, _path) in examples.EXAMPLES.items()],
        "most": len(editor.charges) >= MAX_CHARGES,
        **tried,
        **more,
    }
    refused = request.POST.get("do") in ("save", "fill") and (problems or more)
    status = 422 if refused and request.headers.get("HX-Request") else 200
    return render(request, "licensing/tariffs/editor.html", context, status=status)


def _tried(request: ActorRequest, schedule: core.Schedule | None) -> dict[str, Any]:
    """The figures to try, with what they come to. While the document cannot be read they are kept as they are."""
    if schedule is None:
        figures = [(name, value[:40]) for name, value in request.POST.items() if FIGURE.fullmatch(name)]
        return {"figures": None, "kept": figures[:250], "rating": None, "schedule": None}
    form = PreviewForm(schedule, request.POST, fill=True)
    found: dict[str, Any] = {"figures": form, "schedule": schedule, "rating": None, "rating_refused": ""}
    if form.is_valid():
        try:
            found["rating"] = form.rating()
        except Refusal as refusal:
            found["rating_refused"] = str(refusal)
    return found


def _problems(document: Any) -> tuple[tuple[Problem, ...], core.Schedule | None]:
    try:
        return (), core.parse(document)
    except BadDocument as bad:
        return bad.problems, None


def _start(request: ActorRequest, society: Organisation) -> dict[str, Any]:
    """What a new version starts from."""
    empty = {
        "tariff": "", "version": 1, "name": "", "currency": "KRW", "valid_from": "", "valid_to": None, "combine": "sum",
        "minimum": None, "cap": None, "charges": [editing.new_charge()],
    }  # fmt: skip
    name, tariff_id = request.GET.get("example", ""), request.GET.get("tariff", "")
    document = examples.read(name) if name in examples.EXAMPLES else empty
    if tariff_id.isascii() and tariff_id.isdigit() and len(tariff_id) < 19:
        tariff = Tariff.objects.filter(pk=int(tariff_id), society=society).first()
        if tariff is not None:
            kept = (
                services.version_in_force(tariff, timezone.localdate()) or tariff.versions.order_by("-version").first()
            )
            start = {"valid_from": f"{timezone.localdate().year + 1}-01-01", "valid_to": None}
            own = start | {"tariff": tariff.ref, "version": services.next_version(tariff), "currency": tariff.currency}
            document = (kept.document if kept and name not in examples.EXAMPLES else document) | own
    return document


def _few(document: dict[str, Any]) -> set[int]:
    """All charges open where they are few, none where one must choose."""
    total = len(editing.charges_of(document))
    return editing.within(document, range(total)) if total <= OPEN_AT_FIRST else set()


def _fields(request: ActorRequest) -> dict[str, list[str]]:
    return {name: [str(value) for value in values] for name, values in request.POST.lists()}


def _given(request: ActorRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("json", "")
    return file.read(MAX_BYTES + 1).decode("utf-8-sig", "replace").replace("\x00", "\ufffd")


def _pasted(request: ActorRequest) -> dict[str, Any]:
    """The document that was pasted or sent as a file. It must be right: the fields could not hold a key they do not know."""
    file = request.FILES.get("file")
    text: str | bytes = file.read(MAX_BYTES + 1) if file else request.POST.get("json", "")
    if file:
        file.seek(0)
    document = core.read_text(text)
    core.parse(document)
    return dict(document)


def _file(document: dict[str, Any]) -> HttpResponse:
    ref, version = (re.sub(r"[^A-Za-z0-9._-]", "", str(document.get(key, ""))) for key in ("tariff", "version"))
    return HttpResponse(
        pretty(document),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{ref or "tariff"}-v{version or 1}.json"'},
    )


def _society(request: ActorRequest) -> Organisation:
    return get_object_or_404(Organisation, pk=request.actor.organisation_id, kind=Organisation.Kind.SOCIETY)


def _page_of(version: TariffVersion) -> str:
    return f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={version.version}"
