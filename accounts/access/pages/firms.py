"""A firm registers itself. Who is not signed in proves an e-mail address first."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from babel import Locale
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.access import services
from accounts.access.core import CAPACITY
from accounts.access.limits import caller, limit
from accounts.access.pages.account import path_within
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest

A_DAY: Final = 24 * 3600


class FirmForm(forms.Form):
    name = forms.CharField(
        label=_("Name of your firm"),
        max_length=200,
        help_text=_("As it is registered. It stands on your licences and certificates."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    name_ko = forms.CharField(label=_("Name in Korean"), max_length=200, required=False)
    country = forms.ChoiceField(label=_("Country"))
    may = forms.BooleanField(label=_("I may act for this firm."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].initial = "KR"
        names = Locale.parse("ko" if get_language() == "ko" else "en").territories
        countries = [(code, str(name)) for code, name in names.items() if len(code) == 2 and code.isalpha()]
        self.fields["country"].choices = sorted(countries, key=lambda each: each[1])  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
def firm(request: HttpRequest) -> HttpResponse:
    """Register a firm and go on to where one came from, as its administrator."""
    onward = path_within(request.GET.get("next", ""))
    if not request.user.is_authenticated:
        here = reverse("accounts:firm") + (f"?{urlencode({'next': onward})}" if onward else "")
        return redirect(f"{reverse('accounts:account')}?{urlencode({'next': here})}")
    return _registered(request, onward)  # type: ignore[arg-type]


def _registered(request: ActorRequest, onward: str) -> HttpResponse:
    if onward and request.method == "GET" and request.actor.is_licensee:  # who signed in with the firm's account
        return redirect(onward)
    form = FirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            limit("firm", str(request.user.pk), most=5, seconds=A_DAY)
            limit("firm-from", caller(request), most=20, seconds=A_DAY)
            made = services.register_firm(
                actor=request.actor, name=data["name"], name_ko=data["name_ko"], country=data["country"]
            )
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            request.session[CAPACITY] = f"organisation:{made.pk}"
            messages.success(request, _("Your firm is registered, and you are its administrator."))
            return redirect(onward or "home")
    return render(request, "accounts/access/firm.html", {"form": form})
