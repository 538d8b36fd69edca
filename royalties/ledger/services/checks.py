"""What must always hold of the book, looked for in what is stored; and the trial balance as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from royalties.ledger.core import CHART, balance
from royalties.ledger.models import Account

LIMIT = 1000  # of problems told; a broken ledger needs no longer list


def problems() -> list[dict[str, Any]]:
    """Every broken invariant of the ledger as {what, subject, detail}; empty when all is well.

    Balances against postings, trial balance, floors, control totals, references, reversals (the view
    `ledger_discrepancy`), and the chart that the database holds against the program's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT what, society_id, subject_id, detail FROM ledger_discrepancy LIMIT %s", [LIMIT])
        found = [
            {
                "what": f"ledger.{what.replace(' ', '_')}",
                "subject": f"society:{society} {subject or ''}".strip(),
                "detail": detail,
            }
            for what, society, subject, detail in cursor.fetchall()
        ]
        cursor.execute("SELECT kind, floor, named FROM ledger_kind ORDER BY kind")
        held = {kind: (floor, named) for kind, floor, named in cursor.fetchall()}
    chart = {code: (kind.floor, kind.named) for code, kind in CHART.items()}
    for code in sorted(held.keys() | chart.keys()):
        if held.get(code) != chart.get(code):
            detail = f"floor and name: the database has {held.get(code)}, the program {chart.get(code)}"
            found.append({"what": "ledger.chart", "subject": code, "detail": detail})
    return found


@dataclass(frozen=True, slots=True)
class TrialLine:
    """All accounts of one kind and currency: their sums, and the balance on the kind's normal side."""

    kind: str
    currency: str
    accounts: int
    debits: int
    credits: int

    @property
    def balance(self) -> int:
        return balance(self.kind, self.debits, self.credits)


def trial_balance(society_id: int) -> list[TrialLine]:
    """A society's book, one line a kind and currency, in the order of the chart; debits and credits sum to the same."""
    rows = (
        Account.objects.filter(society_id=society_id)
        .values("kind", "currency")
        .annotate(accounts=Count("id"), debits=Sum("debits"), credits=Sum("credits"))
    )
    order = {code: place for place, code in enumerate(CHART)}
    lines = [
        TrialLine(row["kind"], row["currency"], row["accounts"], int(row["debits"]), int(row["credits"]))
        for row in rows
    ]
    return sorted(lines, key=lambda line: (line.currency, order[line.kind.partition(":")[0]], line.kind))
