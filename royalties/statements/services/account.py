"""A holder's account by year: gathered from the book by one question, and given out as CSV, JSON and PDF."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

import royalties.statements
from accounts.identity.core import Actor
from accounts.identity.paper import pdf
from licensing.intake.core import SafeWriter
from licensing.repertoire.models import Holder
from royalties.ledger.models import Account
from royalties.statements.core import AccountMovement, AccountYear
from royalties.statements.core.account import told
from royalties.statements.wording import category_label, day, money

TEMPLATE: Final = Path(royalties.statements.__file__).with_name("statement.typ")
COLUMNS: Final = ("on", "what", "category", "name", "amount", "balance", "currency", "journal")

# All movements of an account up to the end of a year, summed by journal and the other side. Parameters: account, end.
_MOVEMENTS: Final = """
    SELECT l.journal_id, j.effective_on, j.kind, a.kind, sum(l.amount)::bigint, CASE WHEN count(*) = 1 THEN min(a.owner_id) END
    FROM (SELECT journal_id, credit_id AS other_id, -amount AS amount FROM ledger_posting WHERE debit_id = %(account)s
          UNION ALL SELECT journal_id, debit_id, amount FROM ledger_posting WHERE credit_id = %(account)s) l
    JOIN ledger_journal j ON j.id = l.journal_id AND j.effective_on < %(end)s
    JOIN ledger_account a ON a.id = l.other_id
    GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 4"""


def accounts_of(actor: Actor) -> QuerySet[Account]:
    """What holders are owed, as the actor may see it: a creator's own, or all of a society's book."""
    owed = (
        Account.objects.filter(kind="payable").select_related("society").order_by("society_id", "owner_id", "currency")
    )
    if actor.is_system:
        return owed
    if actor.sandbox:
        return owed.none()
    if actor.is_society:
        return owed.filter(society_id=actor.organisation_id) if actor.can("ledger.view") else owed.none()
    return owed.filter(owner_id__in=actor.holder_ids) if actor.can("statements.view") else owed.none()


def account_year(account: Account, year: int) -> AccountYear:
    """A year of one account of `accounts_of`."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVEMENTS, {"account": account.pk, "end": datetime.date(year + 1, 1, 1)})
        rows = cursor.fetchall()
    holder = Holder.objects.get(pk=account.owner_id or 0)
    return told(
        society=account.society.ref, society_name=str(account.society), holder=holder.ref, holder_name=str(holder),
        currency=account.currency, year=year,
        movements=[
            AccountMovement(journal, on, kind, counter, amount, owner) for journal, on, kind, counter, amount, owner in rows
        ],
    )  # fmt: skip


def years_of(account: Account) -> list[int]:
    """The calendar years in which something moved, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT extract(year FROM j.effective_on)::int FROM ledger_journal j WHERE j.id IN ("
            "SELECT journal_id FROM ledger_posting WHERE debit_id = %(account)s "
            "UNION SELECT journal_id FROM ledger_posting WHERE credit_id = %(account)s) ORDER BY 1 DESC",
            {"account": account.pk},
        )
        return [year for (year,) in cursor.fetchall()]


def what(movement: AccountMovement) -> str:
    """A movement in the reader's language: the category, and which tax or deduction."""
    label = category_label(movement.category, movement.amount)
    return _("%(kind)s: %(name)s") % {"kind": label, "name": movement.name} if movement.name else label


def account_file(year: AccountYear, form: str, language: str) -> bytes:
    """The year as one file's bytes, in the language that is active."""
    if form == "pdf":
        return pdf(TEMPLATE, _data(year, language), datetime.date(year.year, 12, 31))
    if form == "json":
        return json.dumps(account_data(year), ensure_ascii=False, indent=1).encode()
    out = io.StringIO(newline="")
    writer = SafeWriter(out)
    writer.row(COLUMNS)
    writer.row(("", _("Brought forward"), "", "", "", year.opening, year.currency, ""))
    for each in year.movements:
        writer.row(
            (each.on, what(each), each.category, each.name, each.amount, each.balance, year.currency, each.journal)
        )
    writer.row(("", _("Carried forward"), "", "", "", year.closing, year.currency, ""))
    return out.getvalue().encode("utf-8-sig")


def account_data(year: AccountYear) -> dict[str, Any]:
    """The year as JSON values, amounts in minor units."""
    return {
        "society": year.society, "holder": year.holder, "currency": year.currency, "year": year.year,
        "brought_forward": year.opening, "carried_forward": year.closing, "sums": year.sums,
        "movements": [
            {
                "on": each.on.isoformat(), "category": each.category, "name": each.name, "amount": each.amount,
                "balance": each.balance, "journal": each.journal,
            }
            for each in year.movements
        ],
        "trend": [{"year": each.year, "sums": each.sums} for each in year.trend],
    }  # fmt: skip


def _data(year: AccountYear, language: str) -> dict[str, Any]:
    def amount(value: int) -> str:
        return money(value, year.currency)

    sums = [[category_label(name, value), amount(value)] for name, value in year.sums.items()]
    movements = [[day(each.on), what(each), amount(each.amount), amount(each.balance)] for each in year.movements]
    forward = [[_("Brought forward"), amount(year.opening)], *sums, [_("Carried forward"), amount(year.closing)]]
    years = [str(each.year) for each in year.trend]
    names = [name for name in year.sums if any(each.of(name) for each in year.trend)]
    trend = [[category_label(name, year.sums[name]), *(amount(each.of(name)) for each in year.trend)] for name in names]

    def part(title: str, columns: str, head: list[str], body: list[list[str]]) -> dict[str, Any]:
        return {
            "title": title, "note": "", "columns": ["1fr" if c == "l" else "auto" for c in columns], "align": list(columns),
            "head": head, "body": body, "foot": [],
        }  # fmt: skip

    return {
        "language": language, "title": _("Account of %(year)s") % {"year": year.year}, "society": year.society_name,
        "number": f"{year.holder} {year.year} {year.currency}", "holder": f"{year.holder_name} ({year.holder})",
        "lead": _("What was brought forward, what came and went, and what is carried forward"), "published": "", "notice": "",
        "summary": [forward[0], forward[-1]],
        "parts": [
            part(_("The year in sums"), "lr", [_("What"), _("Amount")], forward),
            *([part(_("Three years"), "lrrr", [_("What"), *years], trend)] if trend else []),
            *(
                [part(_("Day by day"), "rlrr", [_("Day"), _("What"), _("Amount"), _("Balance")], movements)]
                if movements
                else []
            ),
        ],
        "why_title": "", "why": [], "footer": f"{year.society_name} · {year.holder_name} · {year.year}",
        "closing": _("Every amount is exact to the smallest unit of the currency and stands in the society's book."),
    }  # fmt: skip
