"""Joins over rows that were stored just now, of which PostgreSQL's planner knows nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper


@contextmanager
def joining() -> Iterator[CursorWrapper]:
    """A cursor whose joins hash or merge: it would take a million new rows for a handful, and loop. In a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield cursor
        cursor.execute("SET LOCAL enable_nestloop = on")
