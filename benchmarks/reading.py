"""What people wait for once all is published: a creator's pages, PDFs, single calls of the API."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access.services import create_person, issue_token
from accounts.identity.core import SYSTEM
from benchmarks.society import Parties
from licensing.declarations.models import Declaration
from licensing.repertoire.models import Holder, Share
from licensing.repertoire.services import represent
from royalties.distribution.models import Run
from royalties.statements.models import Statement
from royalties.statements.services import facts, files, render

REPEATS = 30


def pdfs(run: Run, many: int) -> dict[str, float]:
    """How many PDFs a minute one core makes, facts gathered from the database included, wall and processor time."""
    rows = Statement.objects.filter(run=run).select_related("holder").order_by("id")
    step = max(1, rows.count() // many)
    chosen = list(rows.values_list("id", flat=True)[::step])[:many]
    render.render_pdf(facts.in_full(rows.get(pk=chosen[0])), "ko")  # fonts and template are read once
    began, used = time.perf_counter(), _processor()
    lines = size = 0
    for statement in facts.of_run(run, files.batches(rows.filter(id__in=chosen))):
        size += len(render.render_pdf(statement, "ko"))
        lines += len(statement.lines)
    seconds, used = time.perf_counter() - began, _processor() - used
    return {
        "pdfs": len(chosen),
        "lines": lines,
        "bytes_each": size // len(chosen),
        "a_minute": 60 * len(chosen) / seconds,
        "a_minute_of_processor": 60 * len(chosen) / used,
    }


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def creators(parties: Parties, run: Run) -> dict[str, dict[str, dict[str, float]]]:
    """Page → milliseconds and queries, for a creator of the usual size and for a publisher of a thousand holders."""
    of_works = Share.objects.filter(holder__society=parties.society).values("holder_id").annotate(n=Count("work_id"))
    usual = of_works.order_by("holder_id")[: 2 * 500 + 1][500]["holder_id"]
    crowd = list(Holder.objects.filter(society=parties.society).order_by("id").values_list("id", flat=True)[:1000])
    return {
        "a creator": _pages(parties, run, "creator", [usual]),
        "a publisher of 1,000 holders": _pages(parties, run, "publisher", crowd),
    }


def _pages(parties: Parties, run: Run, name: str, holders: list[int]) -> dict[str, dict[str, float]]:
    user, _new = create_person(actor=SYSTEM, email=f"{name}@bench.example", name=name.title())
    for holder in Holder.objects.filter(id__in=holders).select_related("society"):
        represent(actor=SYSTEM, user=user, holder=holder)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    statement = Statement.objects.filter(run=run, holder_id__in=holders).order_by("-payable").first()
    assert statement is not None
    addresses = {
        "what I am owed": "/overview/",
        "statements": "/statements/",
        "a statement": f"/statements/{statement.pk}/",
        "its licensees and uses": f"/statements/{statement.pk}/?tab=uses",
        "its deductions": f"/statements/{statement.pk}/?tab=deductions",
        "what waits": f"/statements/{statement.pk}/?tab=waiting",
        "uses of my works": "/uses/",
        "my works": "/works/",
        "search in my works": "/works/?q=number",
    }
    return {page: timed(lambda address=address: client.get(address)) for page, address in addresses.items()}  # type: ignore[misc]


def calls(parties: Parties, declaration: Declaration) -> dict[str, dict[str, float]]:
    """Single calls of the API by the licensee's program."""
    _token, secret = issue_token(actor=SYSTEM, organisation=parties.licensee, scopes="*", name="bench")
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {secret}"})
    counter = iter(range(10**9))

    def check(n: int) -> Any:
        items = [{"scheme": "proprietary", "value": f"BENCH-{10 * i + 8}"} for i in range(n)]
        return client.post(
            "/api/v1/permissions/check/",
            json.dumps({"use": "train", "items": items}),
            content_type="application/json",
            headers={"idempotency-key": f"bench-{time.time_ns()}-{next(counter)}"},
        )

    return {
        "GET /declarations/{id}/": timed(lambda: client.get(f"/api/v1/declarations/{declaration.pk}/")),
        "GET /declarations/{id}/works/": timed(lambda: client.get(f"/api/v1/declarations/{declaration.pk}/works/")),
        "POST /permissions/check/ 1 item": timed(lambda: check(1)),
        "POST /permissions/check/ 10,000 items": timed(lambda: check(10_000), repeats=3),
    }


def timed(get: Callable[[], Any], *, repeats: int = REPEATS) -> dict[str, float]:
    """Milliseconds (median and the 95th percentile) and queries of one answer; anything but success is an error."""
    with CaptureQueriesContext(connection) as queries:
        answer = get()
        if answer.status_code >= 300:
            raise RuntimeError(f"{answer.status_code}: {answer.content[:300]!r}")
        asked = len(queries)
    took = []
    for _repeat in range(repeats):
        began = time.perf_counter()
        get()
        took.append(1000 * (time.perf_counter() - began))
    return {"median": median(took), "p95": quantiles(took, n=20, method="inclusive")[-1], "queries": asked}
