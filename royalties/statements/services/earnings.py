"""What a use brought a holder: amounts of published distributions by licensee, works, and what was declared without licence."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Count, F, Sum

from accounts.organisations.models import Organisation
from licensing import terms
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.repertoire.models import Holder, Share
from royalties.distribution.models import Run

_HERE: Final = Path(__file__).parent
_EARNINGS: Final = (_HERE / "earnings.sql").read_text()
_COVERED: Final = (_HERE / "covered.sql").read_text()
MOST_RUNS: Final = 1000
MOST_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Earned:
    """What one licensee's use brought in one distribution, in minor units, rounded down."""

    month: str
    currency: str
    licensee: Organisation
    use: str
    works: int
    amount: int


def earned(
    holder: Holder, uses: Collection[str], *, kinds: Sequence[str] = (terms.ANY,), valid: Any = None
) -> list[Earned]:
    """Published and not reversed, the oldest first: three queries, however many works."""
    runs = Run.objects.filter(society_id=holder.society_id, published_at__isnull=False).exclude(
        status=Run.Status.REVERSED
    )
    values: dict[str, Any] = {
        "holders": [holder.pk],
        "runs": list(runs.order_by("-id").values_list("id", flat=True)[:MOST_RUNS]),
        "kinds": None if terms.ANY in kinds else list(kinds),
        "valid": valid or DateRange(None, None),
        "uses": list(terms.USES) if terms.ANY in uses else list(uses),
    }
    with connection.cursor() as cursor:
        cursor.execute(_EARNINGS, values)
        rows = cursor.fetchall()
    licensees = Organisation.objects.in_bulk({row[2] for row in rows})
    return [
        Earned(_month(period), currency, licensees[licensee], use, works, int(amount or 0))
        for period, currency, licensee, use, works, amount in rows
    ]


def _month(period: Any) -> str:
    return str((period.upper - datetime.timedelta(days=1)).strftime("%Y-%m"))


def covered(
    holder: Holder, uses: Collection[str], today: datetime.date, *, kinds: Sequence[str] = (terms.ANY,)
) -> tuple[int, int]:
    """(works in which the holder has a share today, those of them that a co-holder's missing mandate keeps from being licensed)."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "holder": holder.pk,
            "society": holder.society_id,
            "today": today,
            "kinds": None if terms.ANY in kinds else list(kinds),
            "uses": [*uses, terms.ANY],
        }
        cursor.execute(_COVERED, values)
        works, incomplete = cursor.fetchone()
    return int(works), int(incomplete)


def declared_anyway(holder: Holder, uses: Collection[str]) -> list[dict[str, Any]]:
    """What licensees declared of the holder's works for these uses without a mandate: by licensee, use and unit."""
    works = Share.objects.filter(holder=holder).values("work_id")
    found = DeclaredUse.objects.filter(
        work_id__in=works, status="unmandated",
        declaration__status=Declaration.Status.ACCEPTED, declaration__sandbox=False,
    )  # fmt: skip
    if terms.ANY not in uses:
        found = found.filter(use__in=list(uses))
    licensee = F("declaration__licence__licensee")
    grouped = found.order_by().values("use", "unit", licensee_id=licensee)
    rows = list(
        grouped.annotate(total=Sum("units"), works=Count("work", distinct=True)).order_by("-total", "licensee_id")[
            :MOST_ROWS
        ]
    )
    licensees = Organisation.objects.in_bulk({row["licensee_id"] for row in rows})
    return [row | {"licensee": licensees[row["licensee_id"]]} for row in rows]
