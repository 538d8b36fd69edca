"""Open an account by oneself, through a link to one's own address. Such an account may do nothing but ask to join."""

from __future__ import annotations

from typing import Final

from django import forms
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import services
from accounts.access.limits import TooOften, caller, limit
from accounts.access.pages.people import BACKEND, WelcomeForm
from accounts.identity import links
from accounts.identity.adapters import keep_language
from accounts.identity.core import Refusal

AN_HOUR: Final = 3600
LONGEST: Final = 500  # of the path to go on to


class AccountForm(forms.Form):
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        help_text=_("We send a link there. It is good for one day."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    onward = forms.CharField(required=False, max_length=LONGEST, widget=forms.HiddenInput)
    homepage = forms.CharField(required=False, max_length=1000)  # a person leaves it empty: they do not see it


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Ask for the link. The answer is the same whether the address has an account or not."""
    if request.user.is_authenticated:
        return redirect(path_within(request.GET.get("next", "")) or "home")
    onward = path_within(request.GET.get("next", ""))
    form = AccountForm(request.POST or None, initial={"onward": onward})
    status = 200
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            limit("account", caller(request), most=20, seconds=AN_HOUR)
            limit("account", data["email"].casefold(), most=5, seconds=AN_HOUR)
            if not data["homepage"]:
                services.ask_for_account(
                    email=data["email"], language=get_language() or "en", onward=path_within(data["onward"])
                )
        except Refusal as refusal:
            form.add_error("email", str(refusal))
            status = 429 if isinstance(refusal, TooOften) else 200
        else:
            return redirect("accounts:account_sent")
    return render(request, "accounts/access/account.html", {"form": form, "onward": onward}, status=status)


@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    """Look into your mail: the same page for everybody."""
    return render(request, "accounts/access/account_sent.html")


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "POST"])
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link leads: choose a password, be signed in, and go on to where one came from."""
    limit("account-link", caller(request), most=60, seconds=AN_HOUR)
    wanted = links.read_account(token)
    form = WelcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            user = services.open_account(token=token, password=data["password"], name=data["name"])
        except Refusal as refusal:
            if refusal.code != "weak_password":
                raise
            for error in refusal.errors:
                form.add_error("password", error["detail"])
        else:
            login(request, user, backend=BACKEND)
            return keep_language(redirect(path_within(wanted.onward) or "home"), user)
    return render(request, "accounts/access/welcome.html", {"form": form, "person": wanted})


def path_within(target: str) -> str:
    """A path of this house, or nothing."""
    safe = len(target) <= LONGEST and target.startswith("/")
    return target if safe and url_has_allowed_host_and_scheme(target, allowed_hosts=None) else ""
