"""What every slice needs to speak to PostgreSQL in its own words."""

from pathlib import Path

from django.contrib.postgres.fields import BigIntegerRangeField
from django.db.migrations import RunSQL
from django.db.models import F, Func, Value


def sql_file(path: Path) -> RunSQL:
    """A migration operation that runs `name.sql`, and the `name.reverse.sql` beside it backwards."""
    return RunSQL(path.read_text(encoding="utf-8"), path.with_suffix(".reverse.sql").read_text(encoding="utf-8"))


def point(key: str) -> Func:
    """An integer column as a one-point range, so that a plain GiST exclusion constraint can compare it for equality."""
    return Func(F(key), F(key), Value("[]"), function="int8range", output_field=BigIntegerRangeField())
