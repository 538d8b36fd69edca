"""What a declaration comes to, kept with it: worked out on the engine that settled it, or from what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from licensing.declarations.models import Declaration, HostSum, UseSum
from licensing.engine.core import Engine, steps
from licensing.repertoire.models import Identifier, Work

_SUMS: Final = Path(__file__).parent.with_name("sums.sql")
_SUMMED: Final = "SELECT status, matched, use, kind, unit, many, lines, units, large, rounded, least, most FROM summed"
_HOSTED: Final = "SELECT unit, place, work_id, host, many, units FROM hosted"


def keep(held: Declaration, engine: Engine) -> None:
    """The sums of a declaration that was settled just now; the caller holds its lock."""
    engine.run(_SUMS)
    _write(held, engine.rows(_SUMMED), engine.rows(_HOSTED))


def make_up(declaration: Declaration) -> None:
    """The same for one that was processed before sums were kept, from its declared use."""
    if declaration.lines and not UseSum.objects.filter(declaration=declaration).exists():
        _made_up(declaration)


@transaction.atomic
def _made_up(declaration: Declaration) -> None:
    held = Declaration.objects.select_for_update(of=("self",)).get(pk=declaration.pk)
    if not held.lines or UseSum.objects.filter(declaration=held).exists():
        return
    found = []
    for step in steps(_SUMS.read_text(encoding="utf-8")):
        query = step.query.replace("%", "%%")
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH permitted AS (SELECT * FROM licensing_declareduse WHERE declaration_id = %s) {query}", [held.pk]
            )
            found.append(cursor.fetchall())
    _write(held, found[0], found[1])


def make_up_missing(declarations: QuerySet[Declaration], *, most: int) -> None:
    """The sums of some that have none yet."""
    bare = declarations.exclude(lines={}).filter(~Exists(UseSum.objects.filter(declaration=OuterRef("pk"))))
    for each in bare.order_by("pk")[:most]:
        make_up(each)


def _write(held: Declaration, sums: Iterable[Sequence[Any]], hosts: Sequence[Sequence[Any]]) -> None:
    UseSum.objects.filter(declaration=held).delete()
    HostSum.objects.filter(declaration=held).delete()
    UseSum.objects.bulk_create(
        UseSum(
            declaration=held, status=status, matched=bool(matched), use=use, kind=kind, unit=unit, rows=rows, lines=lines,
            units=units, large_rows=large, round_rows=rounded, least=least, most=most,
        )
        for status, matched, use, kind, unit, rows, lines, units, large, rounded, least, most in sums
    )  # fmt: skip
    names = _names({work for _unit, _place, work, *_rest in hosts if work is not None})
    HostSum.objects.bulk_create(
        HostSum(
            declaration=held, unit=unit, position=place, host=(names[work] if work is not None else host)[:2048],
            work_id=work, rows=rows, units=units,
        )
        for unit, place, work, host, rows, units in hosts
    )  # fmt: skip


def _names(works: set[int]) -> dict[int, str]:
    """What people call a site of the register: its domain, else its address, else its reference."""
    found = dict(Work.objects.filter(pk__in=works).values_list("pk", "ref"))
    places = Identifier.objects.filter(work_id__in=works, scheme__in=["domain", "url"])
    for work, value in places.order_by("-scheme", "-value").values_list("work_id", "value"):
        found[work] = value  # the domain comes last, the first by name
    return found
