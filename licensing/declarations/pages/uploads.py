"""Files on their way to a declaration: what is missing, what has not arrived whole, and how to do without them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.identity.gate import ActorRequest, requires
from licensing.declarations import core, services
from licensing.declarations.models import Declaration
from licensing.declarations.pages.common import find
from licensing.intake.models import Upload

SHOWN = 10


def arriving(found: Declaration) -> dict[str, Any]:
    """What the page of a declaration says of its files: the first that are here, are missing, or are on their way."""
    files = list(found.files.select_related("file").order_by("position", "pk")[: SHOWN + 1])
    shown: dict[str, Any] = {
        "files": files[:SHOWN],
        "files_more": found.files.count() - SHOWN if len(files) > SHOWN else 0,
        "part_bytes": settings.UPLOAD_PART_BYTES,
    }
    if found.status in core.SUBMITTED:  # nothing more comes
        return shown
    under_way = Upload.objects.about("declaration", found.pk).filter(status=Upload.Status.OPEN)
    shown["under_way"] = list(under_way.order_by("-moved_at")[:SHOWN])
    missing = found.announced.missing()
    if first := list(missing.order_by("position")[:SHOWN]):
        shown |= {"missing": first, "missing_count": missing.count(), "announced_count": found.announced.count()}
    return shown


@requires("declarations.declare")
@require_POST
def cancel(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """Let go of a file that has not arrived whole."""
    found = find(request.actor, declaration_id)
    own = Upload.objects.visible_to(request.actor).about("declaration", found.pk)
    upload = own.filter(key=request.POST.get("upload", "")).first()
    if upload is not None:
        services.cancel_upload(actor=request.actor, upload=upload)
        messages.success(request, _("What had arrived of the file is deleted."))
    return redirect("licensing:declaration", found.pk)


@requires("declarations.declare")
@require_POST
def do_without(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """No longer wait for the files that are missing."""
    found = find(request.actor, declaration_id)
    services.announce(actor=request.actor, declaration=found, files=[])
    messages.success(request, _("The declaration goes on with the files that are here."))
    return redirect("licensing:declaration", found.pk)
