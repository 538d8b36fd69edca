"""The page to hand in a file or a text that reserves: first it is read and shown, then put on record."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.intake.models import StoredFile
from licensing.permissions import signal_words
from licensing.permissions.pages.sites import SHOWN_STATEMENTS
from licensing.permissions.services import handing_in
from licensing.permissions.site_forms import HandInForm
from licensing.repertoire.models import Holder
from licensing.signals.core import Signal

_SALT: Final = "jeongsan.signal-handed-in"
GOOD_FOR: Final = 3600  # seconds between looking and putting on record
SHOWN: Final = 20_000


@requires("sites.manage")
@require_http_methods(["GET", "POST"])
def signal_hand_in(request: ActorRequest) -> HttpResponse:
    """Choose, look at what was understood, put on record."""
    if request.method == "POST" and request.POST.get("looked_at"):
        return _put_on_record(request)
    form = HandInForm(request.POST or None, request.FILES or None, actor=request.actor, initial=_asked(request))
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            context |= _look(request, form.cleaned_data)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
    status = 422 if form.errors and request.headers.get("HX-Request") else 200
    return render(request, "licensing/sites/hand_in.html", context, status=status)


def _asked(request: ActorRequest) -> dict[str, str]:
    """What a link fills in: `?about=work&which=W-1`."""
    about = request.GET.get("about", "")
    return {"about": about if about in handing_in.ABOUT else "work", "which": request.GET.get("which", "")[:2048]}


def _look(request: ActorRequest, given: dict[str, Any]) -> dict[str, Any]:
    """What the file says, and what would be reserved by it; nothing is reserved yet."""
    holder, file = given["holder"], given["file"]
    stored = handing_in.receive(
        actor=request.actor, holder=holder, file=file, name=file.name if file else "", text=given["text"]
    )
    signal = handing_in.understand(stored)
    wanted = handing_in.parts(
        actor=request.actor, holder=holder, about=given["about"], which=given["which"], signal=signal
    )
    passed = {"file": stored.pk, "holder": holder.pk, "about": given["about"], "which": given["which"]}
    return {
        "signal": signal,
        "label": signal_words.source_said(signal.source),
        "raw": _text(signal),
        "statements": signal.statements[:SHOWN_STATEMENTS],
        "more": max(0, len(signal.statements) - SHOWN_STATEMENTS),
        "wanted": wanted,
        "name": stored.name,
        "which": given["which"],
        "looked_at": signing.dumps(passed | {"user": request.actor.user_id}, salt=_SALT),
    }


def _text(signal: Signal) -> str:
    return signal.raw[:SHOWN].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _put_on_record(request: ActorRequest) -> HttpResponse:
    try:
        passed = signing.loads(request.POST["looked_at"], salt=_SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        passed = {}
    stored = StoredFile.objects.filter(pk=passed.get("file")).first()
    holder = Holder.objects.visible_to(request.actor).select_related("society").filter(pk=passed.get("holder")).first()
    if stored is None or holder is None or passed["user"] != request.actor.user_id:
        messages.error(request, _("Too much time has passed. Choose the file once more."))
        return redirect("licensing:signal_hand_in")
    _signal, made = handing_in.hand_in(
        actor=request.actor, holder=holder, about=passed["about"], which=passed["which"], stored=stored
    )
    said = ngettext("%(n)s reservation is on record.", "%(n)s reservations are on record.", len(made))
    messages.success(request, said % {"n": len(made)})
    return redirect("licensing:reservation_follow", made[0].ref)
