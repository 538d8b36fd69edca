"""Keys for programs: an organisation's, or a creator's own."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import services
from accounts.access.core import scopes_for
from accounts.access.models import Token
from accounts.identity.core import Actor
from accounts.identity.gate import ActorRequest, signed_in
from accounts.identity.models import User
from accounts.organisations.models import Organisation


class TokenForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What it is for, so that you know it later."))
    mode = forms.ChoiceField(
        label=_("Mode"), choices=[("live", _("live")), ("sandbox", _("sandbox: makes and sees test data only"))]
    )
    days = forms.ChoiceField(
        label=_("Good for"), choices=[("90", _("90 days")), ("365", _("1 year")), ("0", _("until revoked"))]
    )
    scopes = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: object, kind: str | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["scopes"].choices = [(scope, scope) for scope in sorted(scopes_for(kind))]  # type: ignore[attr-defined]


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: ActorRequest) -> HttpResponse:
    """The list and the form. A new token is shown in the answer to the form and never again."""
    actor = request.actor
    _may_manage(actor)
    form, shown = TokenForm(request.POST or None, kind=actor.organisation_kind), ""
    if request.method == "POST" and form.is_valid():
        shown = _issue(actor, form)
        form = TokenForm(kind=actor.organisation_kind)
    context = {"tokens": _owned(actor).order_by("-id"), "form": form, "shown": shown, "now": timezone.now()}
    context["all"] = len(scopes_for(actor.organisation_kind))
    return render(request, "accounts/access/tokens.html", context)


@signed_in
@require_POST
def revoke(request: ActorRequest, token_id: int) -> HttpResponse:
    _may_manage(request.actor)
    token = services.revoke_token(actor=request.actor, token=get_object_or_404(_owned(request.actor), pk=token_id))
    messages.success(
        request, _("%(token)s is revoked; programs that use it are refused from now on.") % {"token": token}
    )
    return redirect("accounts:tokens")


def _may_manage(actor: Actor) -> None:
    """An organisation's tokens need a permission; creators look after their own."""
    if actor.organisation_id is not None:
        actor.require("tokens.manage")


def _owned(actor: Actor) -> QuerySet[Token]:
    """The tokens of the capacity in which this person acts now."""
    seen = Token.objects.visible_to(actor)
    return seen.filter(organisation=None) if actor.organisation_id is None else seen.exclude(organisation=None)


def _issue(actor: Actor, form: TokenForm) -> str:
    """Make the token that the form asks for; returns it in clear."""
    data = form.cleaned_data
    days = int(data["days"])
    owner: dict[str, Any] = (
        {"user": User.objects.get(pk=actor.user_id or 0)}
        if actor.organisation_id is None
        else {"organisation": Organisation.objects.of(actor)}
    )
    _token, text = services.issue_token(
        actor=actor,
        scopes=data["scopes"],
        sandbox=data["mode"] == "sandbox",
        name=data["name"],
        expires_at=timezone.now() + datetime.timedelta(days=days) if days else None,
        **owner,
    )
    return text
