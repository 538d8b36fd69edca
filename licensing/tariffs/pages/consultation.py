"""Consultations, for everybody: what is proposed and why, what others say of it, and saying something oneself.

Nothing here needs an account or a script. Comments come from strangers: they are shown as plain text once published,
and their files only ever as something to save.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.limits import TooOften, caller, limit
from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest
from licensing.intake.services import path_of
from licensing.tariffs import services
from licensing.tariffs.forms_procedure import AnswerForm, CommentForm, ExtendForm
from licensing.tariffs.models import Attachment, Comment, TariffVersion
from licensing.tariffs.pages.procedure import blame
from licensing.tariffs.services.attaching import TYPES
from licensing.tariffs.services.commenting import by_key

AN_HOUR: Final = 3600
A_DAY: Final = 24 * AN_HOUR
WHEN: Final = ("open", "waiting", "past")


@require_GET
def consultations(request: ActorRequest) -> HttpResponse:
    """Open consultations, those that wait for a decision, and past ones."""
    when = request.GET.get("when", "")
    when = when if when in WHEN else "open"
    context = {"page": paginate(request, listed(when), size=20), "when": when, "today": timezone.localdate()}
    return render(request, "licensing/tariffs/consultations.html", context)


def consulted() -> QuerySet[TariffVersion]:
    """The versions on which a consultation is or was held, with how many comments are published."""
    shown = Count("comments", filter=Q(comments__status=Comment.Status.PUBLISHED))
    versions = TariffVersion.objects.published().filter(consultation__isnull=False)
    return versions.select_related("tariff__society", "addressed_to").annotate(shown=shown)


def listed(when: str) -> QuerySet[TariffVersion]:
    today, undecided = timezone.localdate(), TariffVersion.objects.undecided().values("pk")
    found = consulted()
    if when == "open":
        return found.filter(pk__in=undecided, consultation__contains=today).order_by("consultation__endswith", "pk")
    if when == "waiting":
        return found.filter(pk__in=undecided, consultation__endswith__lte=today).order_by("decide_by", "pk")
    return found.exclude(pk__in=undecided).order_by("-published_at", "-pk")


@never_cache
@require_http_methods(["GET", "POST"])
def consultation(request: ActorRequest, version_id: int) -> HttpResponse:
    """One consultation; POST hands in a comment."""
    version = consulted().filter(pk=version_id).first()
    if version is None:
        raise NotFound(_("There is no such consultation."))
    signed_in = bool(request.user.is_authenticated)
    form = CommentForm(request.POST or None, request.FILES or None, signed_in=signed_in, initial=_known(request))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            return _handed_in(request, version, form)
        except Refusal as refusal:
            blame(form, refusal, {"files": "attachments"})
            status = 429 if isinstance(refusal, TooOften) else 200
    return render(request, "licensing/tariffs/consultation.html", _shown(request, version, form), status=status)


def _known(request: ActorRequest) -> dict[str, str]:
    """What the form need not ask somebody who has signed in."""
    user = request.user
    return {"name": getattr(user, "name", "") or ""} if user.is_authenticated else {}


def _handed_in(request: ActorRequest, version: TariffVersion, form: CommentForm) -> HttpResponse:
    data, user = form.cleaned_data, request.user
    who = f"user:{user.pk}" if user.is_authenticated else data["email"].casefold()
    limit("comment", caller(request), most=20, seconds=AN_HOUR)
    limit("comment", who, most=10, seconds=A_DAY)
    if not data["homepage"]:
        services.comment(
            actor=request.actor,
            version=version,
            files=[(file.name, file) for file in data["attachments"]],
            language=get_language() or "ko",
            **{name: data.get(name, "") for name in ("name", "standing", "organisation", "text", "email")},
        )
    if not user.is_authenticated:
        return redirect("licensing:comment_sent")
    messages.success(request, _("Your comment is handed in. The rate body publishes it, or tells you why not."))
    return redirect("licensing:consultation", version.pk)


def _shown(request: ActorRequest, version: TariffVersion, form: CommentForm) -> dict[str, Any]:
    actor, today = request.actor, timezone.localdate()
    comments = version.comments.public().select_related("version").prefetch_related("attachments__file")
    withheld = version.comments.filter(status=Comment.Status.WITHHELD).order_by("ground")
    grounds = {code: str(label) for code, label in Comment.Ground.choices}
    counts = withheld.values_list("ground").annotate(count=Count("pk"))
    is_own = bool(actor.organisation_id) and actor.organisation_id == version.tariff.society_id
    is_body = bool(actor.organisation_id) and actor.organisation_id == version.addressed_to_id
    open_now = version.takes_comments(today)
    waiting = Comment.objects.none()
    if request.user.is_authenticated:
        own = Comment.objects.filter(version=version, user_id=request.user.pk)
        waiting = own.exclude(status=Comment.Status.PUBLISHED).order_by("received_at")
    return {
        "version": version,
        "form": form,
        "page": paginate(request, comments.order_by("received_at", "pk"), size=20),
        "withheld": [(grounds[ground], count) for ground, count in counts],
        "own_waiting": list(waiting[:20]),
        "is_open": open_now,
        "undecided": version.status in ("proposed", "interim"),
        "may_comment": open_now and not is_own and not is_body,
        "may_answer": is_own and actor.can("tariffs.manage"),
        "answer_form": AnswerForm(auto_id=False),
        "may_withdraw": is_own and actor.can("tariffs.manage") and version.status == "proposed",
        "may_extend": open_now
        and ((is_own and actor.can("tariffs.manage")) or (is_body and actor.can("tariffs.determine"))),
        "extend_form": ExtendForm(),
        "may_decide": services.may_decide(actor, version),
    }


@require_GET
def sent(request: ActorRequest) -> HttpResponse:
    """Look into your mail: the same page for everybody."""
    return render(request, "licensing/tariffs/comment_sent.html")


@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: ActorRequest, ref: str) -> HttpResponse:
    """The landing page of the e-mail link. It confirms when its button is pressed: programs that scan mail press none."""
    limit("confirm", caller(request), most=60, seconds=AN_HOUR)
    key = (request.POST if request.method == "POST" else request.GET).get("key", "")[:200]
    found = by_key(ref, key)
    refused = ""
    if request.method == "POST":
        try:
            found = services.confirm(ref, key)
        except Refusal as refusal:
            refused = str(refusal)
        else:
            messages.success(request, _("Your comment is received. The rate body publishes it, or tells you why not."))
            return redirect("licensing:consultation", found.version_id)
    context = {"comment": found, "key": key, "refused": refused}
    return render(request, "licensing/tariffs/comment_confirm.html", context)


@never_cache
@require_GET
def attachment(request: ActorRequest, attachment_id: int) -> HttpResponseBase:
    """A file that came with a comment, to save; shown to others once its comment is published."""
    seen = Comment.objects.visible_to(request.actor).values("pk")
    found = Attachment.objects.select_related("file").filter(pk=attachment_id, comment__in=seen).first()
    if found is None:
        raise NotFound(_("There is no such file."))
    known = found.media_type in TYPES.values()
    answer = FileResponse(
        path_of(found.file).open("rb"),
        as_attachment=True,
        filename=found.name,
        content_type=found.media_type if known else "application/octet-stream",
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
