"""Pages of the house itself: the public home, the theme switch, the health check, and the style page for developers."""

from __future__ import annotations

import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django.views.i18n import set_language
from redis import Redis
from redis.exceptions import RedisError

from accounts.access.services import update_profile
from accounts.identity.core import Actor
from accounts.identity.models import User
from config.context import THEME_COOKIE, THEMES, audience

A_YEAR = 365 * 24 * 3600


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What Jeongsan is, for those who are not signed in; the others go to their portal."""
    if seen := audience(request.actor):  # type: ignore[attr-defined]
        return redirect("licensing:applications" if seen == "applicant" else "royalties:overview")
    return render(request, "home.html")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie; an empty choice follows the system again."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    if (choice := request.POST.get("theme", "")) in THEMES:
        response.set_cookie(
            THEME_COOKIE, choice, max_age=A_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    else:
        response.delete_cookie(THEME_COOKIE)
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Django's own switch, which keeps the choice in a cookie; a person who is signed in gets mail and notices in it too."""
    chosen = request.POST.get("language", "")
    user = request.user
    if isinstance(user, User) and chosen in dict(settings.LANGUAGES) and chosen != user.language:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        update_profile(actor=actor, user=user, name=user.name, language=chosen)
    return set_language(request)


@require_GET
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer, else 503 and which of them did not."""
    services = {"database": _database_answers(), "broker": _broker_answers()}
    return JsonResponse({"ok": all(services.values()), **services}, status=200 if all(services.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    try:
        with Redis.from_url(str(settings.REDIS_URL), socket_timeout=2, socket_connect_timeout=2) as broker:
            return bool(broker.ping())
    except (RedisError, OSError):
        return False


class _Sample(forms.Form):
    """One of each kind of field, for the style page."""

    name = forms.CharField(help_text="As it stands in the contract.")
    use = forms.ChoiceField(choices=[("train", "train"), ("ground", "ground")], required=False)
    unit = forms.ChoiceField(choices=[("token", "token"), ("page", "page")], widget=forms.RadioSelect)
    start = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(widget=forms.Textarea, required=False)
    agree = forms.BooleanField(label="The figures are complete", required=False)
    file = forms.FileField(required=False, help_text="CSV, TSV, JSON Lines or Parquet; .gz and .zst are read too.")


@require_GET
def style(request: HttpRequest) -> HttpResponse:
    """Every component with sample data. Served with DEBUG only."""
    messages.info(request, "A message of the framework.")
    rows = [
        SimpleNamespace(
            ref=f"INV-2026-{n:04}",
            licensee=name,
            period=(datetime.date(2026, m, 1), datetime.date(2026, m + 3, 1)),
            amount=amount,
            status=s,
        )
        for n, (name, m, amount, s) in enumerate(
            [
                ("Hanbit AI", 1, 428586, "paid"),
                ("Seorak Labs 설악연구소", 4, 123703704, "issued"),
                ("Mirae Models", 7, -1193837, "part_paid"),
            ],
            1,
        )
    ]
    form = _Sample({"name": "", "start": "2026-02-31", "agree": "on"})
    form.is_valid()
    return render(
        request, "style.html", _samples() | {"rows": rows, "form": form, "page": Paginator(range(12345), 50).page(3)}
    )


def _samples() -> dict[str, Any]:
    months = ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]
    return {
        "run_states": [(s, s) for s in ("draft", "computed", "approved", "posted", "published")],
        "statuses": [
            "draft",
            "processing",
            "processed",
            "accepted",
            "failed",
            "licensed",
            "reserved",
            "unmatched",
            "held",
        ],
        "bars": [
            ("Hanbit AI", 428586, "#"),
            ("Seorak Labs 설악연구소", 300120),
            ("A licensee whose registered name is much longer than a phone is wide", 90000),
            ("Mirae", 1200),
        ],
        "stacked": [
            (m, use, (i * 7 + j * 5) % 11 * 1000000 + 900000)
            for i, m in enumerate(months)
            for j, use in enumerate(("train", "ground", "finetune"))
        ],
        "line": [(m, 1000000 + (i * i * 370000) % 2900000) for i, m in enumerate(months)],
        "why": [
            {"label": "Units declared", "value": "700,000 tokens", "detail": "Hanbit AI, 1 Jan – 31 Mar 2026, train"},
            {"label": "Weight", "value": "700,000,000", "detail": "700,000 × 1 × 1,000 × 1"},
            {"label": "Distributable", "value": "₩824,503", "detail": "₩1,000,003 − ₩150,000 − ₩25,500"},
            {
                "label": "The work's part",
                "value": "₩495,410",
                "detail": "824,503 × 700,000,000 ÷ 1,165,000,000, largest remainder",
            },
            {"label": "Your share", "value": "₩165,137", "detail": "₩495,410 × 333,334 ppm"},
        ],
        "exact": Decimal("428586.00725"),
        "now": datetime.datetime(2026, 11, 24, 6, 12, tzinfo=datetime.UTC),
    }
