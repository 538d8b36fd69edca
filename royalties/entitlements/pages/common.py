"""What these pages do alike: one's own society, an object of it or nothing, and keeping a paper."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from accounts.identity.core import NotFound, Reference, Refusal
from accounts.identity.gate import ActorRequest
from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.intake.services import keep
from royalties.entitlements.services.guards import pending
from royalties.payees.forms import put_errors

__all__ = ["kept", "one_of", "put_errors", "society_of", "waiting"]


def society_of(request: ActorRequest) -> Organisation:
    found = Organisation.objects.filter(pk=request.actor.organisation_id or 0, kind=Organisation.Kind.SOCIETY).first()
    if found is None or request.actor.sandbox:
        raise NotFound(_("There is no such society."))
    return found


def one_of(request: ActorRequest, model: Any, pk: int, *related: str) -> Any:
    """An object of the society that one acts for."""
    society_of(request)
    found = model.objects.visible_to(request.actor).select_related(*related).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is nothing of this number."))
    return found


def kept(request: ActorRequest, form: forms.Form) -> StoredFile:
    """The form's paper, byte for byte, within the size of a document."""
    file: UploadedFile = form.cleaned_data["file"]
    if (file.size or 0) > settings.IDENTITY_MAX_BYTES:
        detail = _("The document is larger than %(most)s bytes.") % {"most": settings.IDENTITY_MAX_BYTES}
        raise Refusal("too_large", detail, pointer="/file")
    return keep(actor=request.actor, stream=file, name=file.name or "document", organisation=society_of(request))


def waiting(request: ActorRequest, kind: str, about: Reference, permission: str) -> dict[str, Any]:
    """What waits for a second person, and whether this one may decide."""
    asked = pending(kind, about)
    actor = request.actor
    may = actor.can(permission) and actor.can("approvals.decide")
    return {"asked": asked, "can_decide": bool(asked and may and asked.requester_id != actor.user_id)}
