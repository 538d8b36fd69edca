"""A person's first sign-in, their profile, and for whom they act."""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import services
from accounts.access.core import CAPACITY
from accounts.identity.adapters import keep_language
from accounts.identity.core import Conflict, Refusal
from accounts.identity.gate import ActorRequest, signed_in
from accounts.identity.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class WelcomeForm(forms.Form):
    name = forms.CharField(label=_("Your name"), max_length=200, required=False)
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters, and none of the passwords that everybody uses."),
    )
    again = forms.CharField(
        label=_("The same password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("password") != data.get("again"):
            self.add_error("again", _("The two passwords differ."))
        return data


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Where a one-time link leads: choose a password, and be signed in."""
    user = services.invited_by(token)
    form = WelcomeForm(request.POST or None, initial={"name": user.name})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            user = services.accept_invitation(token=token, password=data["password"], name=data["name"])
        except Refusal as refusal:
            if refusal.code != "weak_password":
                raise
            for error in refusal.errors:
                form.add_error("password", error["detail"])
        else:
            if is_mfa_enabled(user):  # a link is one factor: the sign-in page asks for the other
                return redirect("account_login")
            login(request, user, backend=BACKEND)
            return keep_language(redirect("home"), user)
    return render(request, "accounts/access/welcome.html", {"form": form, "person": user})


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["name", "language"]


@signed_in
@require_http_methods(["GET", "POST"])
def profile(request: ActorRequest) -> HttpResponse:
    user = User.objects.get(pk=request.actor.user_id or 0)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        user = services.update_profile(actor=request.actor, user=user, **form.cleaned_data)
        with override(user.language):
            messages.success(request, _("Your profile is saved."))
            return keep_language(redirect("accounts:profile"), user)
    return render(
        request,
        "accounts/access/profile.html",
        {"form": form, "capacities": request.capacities, "now": request.capacity},  # type: ignore[attr-defined]
    )


@signed_in
@require_POST
def switch(request: ActorRequest) -> HttpResponse:
    """Act as another of one's own organisations, or as a rights holder."""
    chosen = request.POST.get("capacity", "")
    known = {capacity.key: capacity for capacity in request.capacities}  # type: ignore[attr-defined]
    if chosen not in known:
        raise Conflict("not_your_capacity", str(_("You cannot act as that, or no longer.")))
    request.session[CAPACITY] = chosen
    messages.success(request, _("You now act as: %(capacity)s.") % {"capacity": known[chosen].label})
    return redirect("home")
