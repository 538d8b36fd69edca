"""Is this work reserved or licensed? One field, for everybody; each match with a verdict for each use."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access.limits import TooOften, caller, limit
from accounts.identity.gate import ActorRequest
from licensing.permissions.services.public_search import LONGEST, Found, look_up

PLACE: Final = "KR"  # the answer speaks of uses there


@require_GET
def search(request: ActorRequest) -> HttpResponse:
    """Works, web addresses and identifiers, without anything about any licensee."""
    asked = request.GET.get("q", "").strip()[:LONGEST]
    found, refused = Found(None, ()), ""
    if asked:
        try:
            limit("search", caller(request), most=60, seconds=60)
            found = look_up(asked, territory=PLACE)
        except TooOften as too_often:
            refused = str(too_often)
    context = {"asked": asked, "found": found, "refused": refused}
    return render(request, "licensing/reservations/search.html", context, status=429 if refused else 200)
