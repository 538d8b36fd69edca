"""A society's book in a database of its own, reached by plain SQL over a connection of its own: what an attacker has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

Row = tuple[str, str, int]  # account debited, account credited (by name), amount


@dataclass
class Book:
    """A society's accounts by name. `own` is the society attacked, `other` another one."""

    url: str
    own: int = 0
    other: int = 0
    accounts: dict[str, int] = field(default_factory=dict)
    journals: dict[str, int] = field(default_factory=dict)

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, **options)

    def fill(self) -> None:
        """Two societies; the first has 1,000 in a pool, of which 300 were paid to a holder's account and 100 taken back."""
        with self.connect() as session:
            self.own, self.other = (_society(session, ref) for ref in ("KOREA-WEB", "KOREA-LIT"))
            for name, society, kind, owner, currency in ACCOUNTS:
                book = self.own if society == "own" else self.other
                self.accounts[name] = open_account(session, book, kind, owner, currency)
        self.journals["receipt"] = self.commit("receipt", [("bank", "pool", 1000)])
        self.journals["run"] = self.commit("run", [("pool", "holder", 200), ("pool", "second", 100)])
        self.journals["wrong"] = self.commit("wrong", [("pool", "holder", 60), ("pool", "second", 40)])
        self.journals["reversal"] = self.commit(
            "reversal", [("holder", "pool", 60), ("second", "pool", 40)], reverses=self.journals["wrong"]
        )

    def commit(self, key: str, rows: Sequence[Row], **fields: Any) -> int:
        with self.connect() as session:
            return self.post(session, key, rows, **fields)

    def post(self, session: psycopg.Connection[Any], key: str, rows: Sequence[Row], **fields: Any) -> int:
        """A journal that declares what it has, and its postings in one statement."""
        journal = self.head(session, key, len(rows), sum(row[2] for row in rows), **fields)
        self.lines(session, journal, rows)
        return journal

    def head(self, session: psycopg.Connection[Any], key: str, count: int, total: int, **fields: Any) -> int:
        given = {
            "society_id": self.own, "kind": "test", "idempotency_key": key, "request_sha256": bytes(32), "effective_on": "2026-03-01",
            "reverses_id": fields.pop("reverses", None), "posting_count": count, "posting_total": total,
        } | fields  # fmt: skip
        columns, marks = ", ".join(given), ", ".join(["%s"] * len(given))
        row = session.execute(
            f"INSERT INTO ledger_journal ({columns}) VALUES ({marks}) RETURNING id", list(given.values())
        ).fetchone()
        assert row is not None
        return int(row[0])

    def lines(
        self, session: psycopg.Connection[Any], journal: int, rows: Sequence[Row], start: int = 1, currency: str = "KRW"
    ) -> None:
        values = [
            item
            for line, (debit, credit, amount) in enumerate(rows, start)
            for item in (journal, line, self.accounts[debit], self.accounts[credit], currency, amount)
        ]
        marks = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(rows))
        session.execute(
            f"INSERT INTO ledger_posting (journal_id, line, debit_id, credit_id, currency, amount) VALUES {marks}",
            values,
        )

    def snapshot(self) -> list[Any]:
        """Everything that the ledger holds, and what it finds wrong with itself."""
        with self.connect() as session:
            return [
                session.execute("SELECT * FROM ledger_kind ORDER BY 1").fetchall(),
                session.execute("SELECT society_id, closed_through::text FROM ledger_period ORDER BY 1").fetchall(),
                session.execute("SELECT * FROM ledger_account ORDER BY 1").fetchall(),
                session.execute(
                    "SELECT id, society_id, kind, idempotency_key, xid::text FROM ledger_journal ORDER BY 1"
                ).fetchall(),
                session.execute("SELECT * FROM ledger_posting ORDER BY 1, 2").fetchall(),
                session.execute("SELECT * FROM ledger_discrepancy").fetchall(),
            ]


ACCOUNTS = [
    ("bank", "own", "bank", None, "KRW"),
    ("pool", "own", "pool", 1, "KRW"),
    ("holder", "own", "payable", 1, "KRW"),
    ("second", "own", "payable", 2, "KRW"),
    ("dollars", "own", "payable", 1, "USD"),
    ("empty", "own", "payable", 3, "KRW"),
    ("stranger", "other", "payable", 1, "KRW"),
    ("strange bank", "other", "bank", None, "KRW"),
]


def open_account(session: psycopg.Connection[Any], society: int, kind: str, owner: int | None, currency: str) -> int:
    row = session.execute(
        "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) "
        "SELECT %s, %s, %s, %s, floor FROM ledger_kind WHERE kind = %s RETURNING id",
        [society, kind, owner, currency, kind.partition(":")[0]],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _society(session: psycopg.Connection[Any], ref: str) -> int:
    row = session.execute(
        "INSERT INTO accounts_organisation (ref, kind, name, name_ko, country, created_at) "
        "VALUES (%s, 'society', %s, '', 'KR', now()) RETURNING id",
        [ref, ref],
    ).fetchone()
    assert row is not None
    session.execute("INSERT INTO ledger_period (society_id) VALUES (%s)", row)
    return int(row[0])
