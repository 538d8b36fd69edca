"""What every slice needs to speak to PostgreSQL in its own words."""

from pathlib import Path
from typing import Any

from django.contrib.postgres.fields import BigIntegerRangeField
from django.db.migrations import RunSQL
from django.db.models import Count, F, Func, QuerySet, Value


def sql_file(path: Path) -> RunSQL:
    """A migration operation that runs `name.sql`, and the `name.reverse.sql` beside it backwards."""
    return RunSQL(path.read_text(encoding="utf-8"), path.with_suffix(".reverse.sql").read_text(encoding="utf-8"))


def point(key: str) -> Func:
    """An integer column as a one-point range, so that a plain GiST exclusion constraint can compare it for equality."""
    return Func(F(key), F(key), Value("[]"), function="int8range", output_field=BigIntegerRangeField())


def counted(**found: QuerySet[Any]) -> dict[str, int]:
    """How many rows each of these has, in one question to the database."""
    questions = [
        rows.order_by()
        .annotate(counted=Value(name))
        .values("counted")
        .annotate(rows=Count("pk"))
        .values_list("counted", "rows")
        for name, rows in found.items()
    ]
    return dict.fromkeys(found, 0) | dict(questions[0].union(*questions[1:], all=True))
