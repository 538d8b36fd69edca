"""Permission asked before use: whole files on the engine, calls of ten thousand, single checks; beside many reservations."""

from __future__ import annotations

import gc
import json
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import duckdb
from django.db import connection
from django.test import Client

from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from benchmarks.generate import MACROS
from benchmarks.measure import Clock, Memory
from benchmarks.society import Parties
from licensing.permissions.models import BulkCheck
from licensing.permissions.services import bulk
from licensing.permissions.services.checks import MOST_ITEMS, Question

CALLS = 20  # of ten thousand items each, after one that warms up
SINGLES = 500
FILE = "a file, to the stored result and its receipt"


@dataclass(frozen=True)
class Asked:
    """How large: identifiers of the file and reservations on record."""

    identifiers: int = 1_000_000
    reservations: int = 100_000


def reserve(parties: Parties, many: int) -> int:
    """Reservations as COPY would bring them in: half of places nobody registered, the rest of works, and some of holders."""
    have = f"SELECT count(*) FROM licensing_reservation WHERE society_id = {parties.society.pk}"
    with connection.cursor() as cursor:
        cursor.execute(have)
        if cursor.fetchone()[0]:
            return many
        cursor.execute(_RESERVATIONS.format(society=parties.society.pk, many=many))
        cursor.execute("ANALYZE licensing_reservation")
    return many


# Of ten: five of places, four of works, one of a holder; each for training, from the start of the year.
_RESERVATIONS = """
WITH numbered AS (
  SELECT n, n %% 10 AS part,
    (SELECT max(id) FROM licensing_work WHERE society_id = {society}) - 7 * n AS work,
    (SELECT max(id) FROM licensing_holder WHERE society_id = {society}) - n AS holder
  FROM generate_series(1, {many}) n
)
INSERT INTO licensing_reservation (ref, society_id, target, work_id, holder_id, place, pattern, excepting, scheme, value, title,
  creators, uses, territory, status, received_at, effective_from, reasons, source, claimant_name, claimant_email, claimant_role,
  language, key_sha256, evidence, evidence_sha256, evidence_url, vocabulary, created_at)
SELECT 'B-' || {society} || '-' || n, {society},
  CASE WHEN part < 5 OR (part < 9 AND w.id IS NULL) OR (part = 9 AND h.id IS NULL) THEN 'place'
       WHEN part < 9 THEN 'work' ELSE 'holder' END,
  CASE WHEN part BETWEEN 5 AND 8 THEN w.id END, CASE WHEN part = 9 THEN h.id END,
  CASE WHEN part < 5 OR (part < 9 AND w.id IS NULL) OR (part = 9 AND h.id IS NULL) THEN 'reserved' || n || '.example.org' ELSE '' END,
  '', '{{}}', '', '', '', '', '{{train}}', '{{*}}', 'effective', '2026-01-01', '2026-01-01', '[]', 'file', '', '', '', 'ko', '', '',
  '', '', '', now()
FROM numbered LEFT JOIN licensing_work w ON w.id = numbered.work AND w.society_id = {society}
LEFT JOIN licensing_holder h ON h.id = numbered.holder AND h.society_id = {society} AND h.id %% 50 = 0""".replace(
    "%%", "%"
)


def write_file(path: Path, asked: Asked, works: int) -> Path:
    """Identifiers spread evenly over the register: 85 of 100 registered, 10 unknown, 5 at reserved places."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        db = duckdb.connect()
        db.execute(MACROS)
        db.execute(
            f"""COPY (
              SELECT CASE WHEN p < 95 THEN scheme_of(w) ELSE 'url' END AS identifier_type,
                CASE WHEN p < 95 THEN value_of(w) ELSE 'https://www.reserved' || (10 * w) || '.example.org/page' END AS identifier
              FROM (SELECT j % 100 AS p, (j * 7919) % {works} + CASE WHEN j % 100 BETWEEN 85 AND 94 THEN {works} ELSE 0 END AS w
                    FROM range({asked.identifiers}) t(j))
            ) TO '{path}' (FORMAT csv, HEADER true)"""
        )
        db.close()
    return path


def whole_file(parties: Parties, path: Path, clock: Clock, memory: Memory) -> BulkCheck:
    """The whole way of a file, from its bytes to the stored result with its receipt."""
    with memory.during(FILE), clock.step(FILE), path.open("rb") as stream:
        made = bulk.request_check(
            actor=SYSTEM, organisation=_licensee(parties), question=Question("train"), stream=stream, name=path.name
        )
        return bulk.finished(made)


def calls(parties: Parties, path: Path) -> dict[str, dict[str, float]]:
    """Calls of ten thousand items and of one, through the API's own view in this process; seconds include JSON both ways."""
    _token, secret = issue_token(
        actor=SYSTEM, organisation=_licensee(parties), scopes="permissions.check", name="bench"
    )
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {secret}"})
    rows = _items(path, (CALLS + 1) * MOST_ITEMS)

    def ask(items: list[dict[str, str]]) -> float:
        body = json.dumps({"use": "train", "items": items})
        began = time.perf_counter()
        answer = client.post("/api/v1/permissions/check/", body, content_type="application/json")
        took = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code}: {answer.content[:300]!r}")
        return took

    pages = [rows[n : n + MOST_ITEMS] for n in range(0, len(rows), MOST_ITEMS)]
    ask(pages[0])
    gc.collect()
    gc.freeze()  # as a server does that has loaded everything: what lives for good is not looked at again and again
    large = [ask(page) for page in pages[1:] or pages]
    single = [1000 * ask(rows[n % len(rows) :][:1]) for n in range(0, 7 * SINGLES, 7)]
    gc.unfreeze()
    items = sum(len(page) for page in pages[1:] or pages)
    return {
        f"calls of {len(pages[0]):,}": {
            "calls": len(large),
            "median_ms": 1000 * median(large),
            "worst_ms": 1000 * max(large),
            "identifiers_a_second": items / sum(large),
        },
        "one at a time": {"calls": len(single), "median_ms": median(single), "p99_ms": quantiles(single, n=100)[98]},
    }


def _items(path: Path, most: int) -> list[dict[str, str]]:
    db = duckdb.connect()
    found = db.execute(f"SELECT * FROM read_csv('{path}', all_varchar = true) LIMIT {most}").fetchall()
    db.close()
    return [{"scheme": scheme, "value": value} for scheme, value in found]


def _licensee(parties: Parties) -> Organisation:
    """The firm with a licence for training, so that answers differ."""
    if not parties.licensee_has_licence():
        parties.licence()
    return parties.licensee


def told(asked: Asked, check: BulkCheck, seconds: float, answers: dict[str, dict[str, float]]) -> list[str]:
    """What was measured, for people."""
    verdicts = ", ".join(f"{many:,} {verdict}" for verdict, many in sorted(check.verdicts.items()))
    lines = [
        f"permission before use, beside {asked.reservations:,} reservations ({verdicts}):",
        f"  {FILE:<50}{seconds:>9.1f} s{check.rows / seconds:>12,.0f} identifiers/s",
    ]
    for name, figures in answers.items():
        rate = figures.get("identifiers_a_second")
        tail = (
            f"worst {figures['worst_ms']:,.0f} ms{rate:>12,.0f} identifiers/s"
            if rate
            else f"p99 {figures['p99_ms']:.1f} ms"
        )
        lines.append(f"  {name:<50}{figures['median_ms']:>9.1f} ms in the middle, {tail}")
    return lines
