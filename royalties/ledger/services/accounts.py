"""Accounts: found, or opened as the chart says, 200,000 in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction

from royalties.ledger.core import kind_of
from royalties.ledger.services.refusals import refusals

_MANY = 1_000  # opened at once, they change what PostgreSQL knows of the table: 20,000 postings took a minute without


def account(*, society_id: int, kind: str, owner_id: int | None = None, currency: str) -> int:
    """The id of this account of a society's book, opened where it does not exist yet.

    `kind` is one of the chart (`royalties.ledger.core.CHART`), `deduction:<name>` for deductions; `owner_id` names whom
    or what it is for, as the chart says.
    """
    return accounts(society_id=society_id, kind=kind, owner_ids=[owner_id], currency=currency)[owner_id]


def accounts(*, society_id: int, kind: str, owner_ids: Iterable[int | None], currency: str) -> dict[int | None, int]:
    """The ids of one kind of account by owner; those that do not exist yet are opened, all in one statement."""
    chart, owners = kind_of(kind), list(dict.fromkeys(owner_ids))
    with refusals(), connection.cursor() as cursor:
        open_book(society_id)
        found = _found(society_id, kind, owners, currency)
        missing = [owner for owner in owners if owner not in found]
        if missing:
            cursor.execute(
                "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) "
                "SELECT %s, %s, owner, %s, %s FROM unnest(%s::bigint[]) AS owner ORDER BY owner "
                "ON CONFLICT ON CONSTRAINT ledger_account_is_one_a_purpose DO NOTHING",
                [society_id, kind, currency, chart.floor, missing],
            )
            found |= _found(society_id, kind, missing, currency)
    return found


def open_accounts(*, society_id: int, kind: str, currency: str, owners: str, params: Sequence[Any] = ()) -> int:
    """Have an account of this kind for each owner that a query (one column of ids) names; returns how many are new.

    For volume: the ids never leave PostgreSQL.
    """
    chart = kind_of(kind)
    with refusals(), connection.cursor() as cursor:
        open_book(society_id)
        cursor.execute(
            "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) "
            f"SELECT DISTINCT %s::bigint, %s, o.owner, %s::char(3), %s::smallint FROM ({owners}) AS o (owner) "
            "ORDER BY o.owner ON CONFLICT ON CONSTRAINT ledger_account_is_one_a_purpose DO NOTHING",
            [society_id, kind, currency, chart.floor, *params],
        )
        opened = cursor.rowcount
        if opened >= _MANY:
            cursor.execute("ANALYZE ledger_account")
    return opened


def open_book(society_id: int) -> None:
    """Have a book for this society, with every day open."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_period WHERE society_id = %s", [society_id])
        if cursor.fetchone() is None:
            cursor.execute("INSERT INTO ledger_period (society_id) VALUES (%s) ON CONFLICT DO NOTHING", [society_id])


def _found(society_id: int, kind: str, owners: list[int | None], currency: str) -> dict[int | None, int]:
    """Ids by owner of those that exist. An account without owner is looked for apart: `= ANY` never finds a null."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT owner_id, id FROM ledger_account WHERE society_id = %s AND kind = %s AND currency = %s"
            " AND (owner_id = ANY (%s::bigint[]) OR (owner_id IS NULL AND %s))",
            [society_id, kind, currency, [owner for owner in owners if owner is not None], None in owners],
        )
        return dict(cursor.fetchall())
