"""The ledger's migration goes back and forth without leaving anything behind."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.db import connection

LEFT = """
    SELECT 'function ' || proname FROM pg_proc WHERE proname LIKE 'ledger%'
    UNION ALL SELECT 'relation ' || relname FROM pg_class WHERE relname LIKE 'ledger%'
    ORDER BY 1"""


def left() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(LEFT)
        return [name for (name,) in cursor.fetchall()]


def test_back_and_forth(committed_db: Any) -> None:
    before = left()
    assert "relation ledger_discrepancy" in before
    call_command("migrate", "royalties", "zero", verbosity=0)
    assert left() == []
    call_command("migrate", verbosity=0)
    assert left() == before


def test_the_search_path_is_left_as_it_was(committed_db: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ('"$user", public',)
