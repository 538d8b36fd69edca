"""The page that asks about a few works; programs ask the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing import terms
from licensing.permissions import services
from licensing.permissions.forms import CheckForm
from licensing.permissions.services.asking import Item

MOST_LINES = 200


@requires("permissions.check")
@require_http_methods(["GET", "POST"])
def permission_check(request: ActorRequest) -> HttpResponse:
    """Ask about a few works by hand; programs ask the API."""
    form = CheckForm(request.POST or None)
    results: list[tuple[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        lines = [line.strip() for line in form.cleaned_data["items"].splitlines() if line.strip()][:MOST_LINES]
        try:
            checked = services.check(
                actor=request.actor,
                use=form.cleaned_data["use"],
                on=form.cleaned_data["on"],
                territory=form.cleaned_data["territory"],
                items=[_item(line) for line in lines],
            )
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            results = list(zip(lines, checked.answers, strict=True))
    return render(request, "licensing/permissions/check.html", {"form": form, "results": results})


def _item(line: str) -> Item:
    scheme, colon, value = line.partition(":")
    if colon and scheme.strip().lower() in terms.SCHEMES:
        return Item(scheme=scheme.strip().lower(), value=value)
    return Item(title=line)
