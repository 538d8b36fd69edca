"""What an amendment does to what it supersedes, kept with it once it is processed: exact, and worked out in one go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Sum

from licensing import terms
from licensing.declarations.models import Change, Declaration, Difference
from licensing.declarations.services.hashing import joining

_SQL: Final = {
    name: Path(__file__).parent.with_name(f"{name}.sql").read_text(encoding="utf-8")
    for name in ("difference", "works_apart")
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Lines and units of one status, before and after."""

    status: str
    lines_before: int
    lines_after: int
    units_before: int
    units_after: int

    @property
    def lines(self) -> int:
        return self.lines_after - self.lines_before

    @property
    def units(self) -> int:
        return self.units_after - self.units_before


def keep(held: Declaration) -> Difference | None:
    """Work the difference out anew; the caller holds the lock. None where the declaration amends nothing."""
    forget(held)
    if held.supersedes_id is None:
        return None
    pair = {"new": held.pk, "old": held.supersedes_id}
    with joining() as cursor:
        cursor.execute(_SQL["difference"], pair)
        rows = cursor.rowcount
        cursor.execute(_SQL["works_apart"], pair)
        added, removed, changed = cursor.fetchone() or (0, 0, 0)
    return Difference.objects.create(
        declaration=held, old_id=held.supersedes_id, works_added=added, works_removed=removed, works_changed=changed,
        rows=rows,
    )  # fmt: skip


def forget(held: Declaration) -> None:
    Difference.objects.filter(declaration=held).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM licensing_change WHERE declaration_id = %s", [held.pk])


def difference_of(declaration: Declaration) -> Difference | None:
    """The difference of a processed amendment; made up for one that was processed before differences were kept."""
    if declaration.supersedes_id is None or not declaration.lines:
        return None
    found = Difference.objects.select_related("old", "declaration").filter(declaration=declaration).first()
    return found or _made_up(declaration)


@transaction.atomic
def _made_up(declaration: Declaration) -> Difference | None:
    held = Declaration.objects.select_for_update(of=("self",)).get(pk=declaration.pk)
    return Difference.objects.filter(declaration=held).first() or keep(held)


def standings(difference: Difference) -> list[Standing]:
    """By status, before and after, the total last. The sums are the declarations' own, so they are those of the files."""
    old, new = difference.old, difference.declaration
    return [
        Standing(
            status,
            *(int(side.lines.get(status, 0)) for side in (old, new)),
            *(int(side.units.get(status, 0)) for side in (old, new)),
        )
        for status in (*terms.LINE_STATUSES, "total")
    ]


def rows_by_kind(declaration: Declaration) -> dict[str, dict[str, Any]]:
    """How many rows were added, removed and changed, with their units before and after."""
    found = Change.objects.filter(declaration=declaration).order_by().values("change")
    sums: Any = found.annotate(rows=Count("pk"), before=Sum("units_before"), after=Sum("units_after"))
    return {row["change"]: row for row in sums}
