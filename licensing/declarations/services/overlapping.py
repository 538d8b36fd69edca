"""The same use reported twice: declarations of one firm over shared days about the same model, with the rows they share.

Only declarations to the same society are compared: what a firm tells another society is not this one's business, and is
paid for there.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from licensing.declarations.models import Declaration, DeclaredUse, Overlap, OverlapRow
from licensing.declarations.services.hashing import joining

_SQL: Final = Path(__file__).parent.with_name("overlap.sql").read_text(encoding="utf-8")
_STEP: Final = Decimal("0.000001")
_HANDED_IN: Final = (Declaration.Status.SUBMITTED, Declaration.Status.ACCEPTED)


def find(held: Declaration) -> list[Overlap]:
    """Find anew what it shares with others that were handed in; the caller holds its lock."""
    Overlap.objects.filter(declaration=held).delete()
    return [overlap for other in others(held) if (overlap := _with(held, other)) is not None]


def is_stale(held: Declaration) -> bool:
    """Whether others were handed in, or amended, since it was compared."""
    compared = set(Overlap.objects.filter(declaration=held).values_list("other_id", flat=True))
    found = others(held)
    return bool(compared - set(found.values_list("pk", flat=True))) or (
        found.exclude(pk__in=compared).filter(submitted_at__gte=held.processed_at).exists()
    )


def others(held: Declaration) -> QuerySet[Declaration]:
    """Live declarations of the firm to this society, over shared days, about the same model, that it does not supersede.

    A model or a dataset that one of them does not name may be any. Two that name different ones share nothing.
    """
    licence = held.licence
    found = Declaration.objects.filter(
        licence__licensee_id=licence.licensee_id, licence__society_id=licence.society_id, sandbox=held.sandbox,
        status__in=_HANDED_IN, period__overlap=held.period,
    ).exclude(pk__in=[held.pk, *ancestors(held)])  # fmt: skip
    for name in ("model", "dataset"):
        if said := getattr(held, name):
            found = found.filter(Q(**{f"{name}__iexact": said}) | Q(**{name: ""}))
    return found.order_by("pk")


def ancestors(held: Declaration) -> list[int]:
    """What it supersedes, and what that superseded, to the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH RECURSIVE line(id) AS (SELECT %s::bigint UNION
               SELECT d.supersedes_id FROM licensing_declaration d JOIN line ON d.id = line.id
               WHERE d.supersedes_id IS NOT NULL) SELECT id FROM line""",
            [held.supersedes_id],
        )
        return [number for (number,) in cursor.fetchall() if number is not None]


def same_model(overlap: Overlap) -> bool:
    """Whether both name the model: only then it is certain that they speak of the same one."""
    return bool(overlap.declaration.model) and bool(overlap.other.model)


def _with(held: Declaration, other: Declaration) -> Overlap | None:
    rows = int(DeclaredUse.objects.filter(declaration=held).count())
    overlap = Overlap.objects.create(declaration=held, other=other, works=0, rows=0, lines=0, part=0)
    day = dt.timedelta(days=1)
    with joining() as cursor:
        cursor.execute(
            _SQL,
            {
                "overlap": overlap.pk, "mine": held.pk, "other": other.pk,
                "my_day": held.period.upper - day, "other_day": other.period.upper - day,
                "since": max(held.period.lower, other.period.lower), "until": min(held.period.upper, other.period.upper),
            },
        )  # fmt: skip
        shared = cursor.rowcount
    if not shared:
        overlap.delete()
        return None
    overlap.rows, overlap.part = shared, (Decimal(shared) / rows).quantize(_STEP)
    overlap.lines, overlap.works, overlap.units = _sums(overlap)
    overlap.save()
    return overlap


def _sums(overlap: Overlap) -> tuple[int, int, dict[str, str]]:
    """Lines, distinct works (unmatched identifiers included), and units by unit."""
    mine = DeclaredUse.objects.filter(pk__in=OverlapRow.objects.filter(overlap=overlap).values("use_id"))
    by_unit = mine.order_by("unit").values("unit").annotate(lines=Sum("lines"), units=Sum("units"))
    works = mine.order_by().values("work_id", "scheme", "value").distinct()
    found: list[Any] = list(by_unit)
    total = works.aggregate(n=Count("*"))["n"]
    return sum(row["lines"] for row in found), int(total), {row["unit"]: str(row["units"]) for row in found}
