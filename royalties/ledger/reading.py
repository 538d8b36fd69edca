"""The book as people read it: an account's history with its running balance, a journal's postings."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.urls import NoReverseMatch, reverse

from accounts.organisations.models import Organisation
from licensing.licences.models import Licence
from licensing.repertoire.models import Holder
from royalties.ledger.core import balance, kind_of
from royalties.ledger.labels import kind_label
from royalties.ledger.models import Account, Posting

_HISTORY = """
    WITH legs AS (
      (SELECT journal_id, line, credit_id AS other_id, amount AS debit, 0::bigint AS credit FROM ledger_posting
       WHERE debit_id = %(id)s ORDER BY journal_id DESC, line DESC LIMIT %(until)s)
      UNION ALL
      (SELECT journal_id, line, debit_id, 0, amount FROM ledger_posting
       WHERE credit_id = %(id)s ORDER BY journal_id DESC, line DESC LIMIT %(until)s)
    ), running AS (
      SELECT *, coalesce(sum(credit - debit) OVER (ORDER BY journal_id DESC, line DESC
                                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS newer
      FROM legs)
    SELECT r.journal_id, j.kind, j.effective_on, j.idempotency_key, r.line, r.other_id, r.debit, r.credit, r.newer
    FROM running r JOIN ledger_journal j ON j.id = r.journal_id
    ORDER BY r.journal_id DESC, r.line DESC OFFSET %(offset)s LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class Named:
    """An account by its kind and by whom or what it is for."""

    id: int
    title: str
    owner: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One posting as an account sees it; `balance` is the account's, on its normal side, after it."""

    journal_id: int
    kind: str
    effective_on: datetime.date
    key: str
    line: int
    other: Named
    debit: int
    credit: int
    balance: int


def history(account: Account, *, offset: int, limit: int) -> list[Movement]:
    """An account's postings, newest first. Balances count back from the stored one, so a page reads no more than it shows
    and what is newer; one row more than `limit` tells that there is a next page."""
    bounds = {"id": account.pk, "until": offset + limit + 1, "offset": offset, "limit": limit + 1}
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, bounds)
        rows = cursor.fetchall()
    others = named(Account.objects.in_bulk([row[5] for row in rows]).values())
    sign = 1 if kind_of(account.kind).normal == "credit" else -1
    now = balance(account.kind, account.debits, account.credits)
    return [
        Movement(journal, kind, day, key, line, others[other], debit, credit, now - sign * int(newer))
        for journal, kind, day, key, line, other, debit, credit, newer in rows
    ]


def named(accounts: Iterable[Account]) -> dict[int, Named]:
    """Accounts by id with their names, owners looked up together: one query a kind of owner."""
    found = list(accounts)
    ids: dict[str, set[int]] = {}
    for account in found:
        if account.owner_id is not None:
            ids.setdefault(kind_of(account.kind).owner, set()).add(account.owner_id)
    names = {
        ("organisation", pk): str(each)
        for pk, each in Organisation.objects.in_bulk(ids.get("organisation", ())).items()
    }
    names |= {("holder", pk): str(each) for pk, each in Holder.objects.in_bulk(ids.get("holder", ())).items()}
    names |= {("licence", pk): each.ref for pk, each in Licence.objects.in_bulk(ids.get("licence", ())).items()}
    return {account.pk: _named(account, names) for account in found}


def _named(account: Account, names: dict[tuple[str, int], str]) -> Named:
    """Invoices and runs lie on floors above: they are named by their number here and reached by the settings' routes."""
    title = kind_label(account.kind)
    if account.owner_id is None:
        return Named(account.pk, title, "")
    kind = kind_of(account.kind).owner
    return Named(
        account.pk, title, names.get((kind, account.owner_id), f"#{account.owner_id}"), link_to(kind, account.owner_id)
    )


def link_to(kind: str, pk: int) -> str:
    route = settings.OBJECT_ROUTES.get(kind)
    try:
        return reverse(route, args=[pk]) if route else ""
    except NoReverseMatch:
        return ""


@dataclass(frozen=True, slots=True)
class Leg:
    """A posting of a journal, with the names of its accounts."""

    line: int
    debit: Named
    credit: Named
    currency: str
    amount: int


def legs(postings: Iterable[Posting]) -> list[Leg]:
    found = list(postings)
    ids = {posting.debit_id for posting in found} | {posting.credit_id for posting in found}
    names = named(Account.objects.in_bulk(ids).values())
    return [Leg(each.line, names[each.debit_id], names[each.credit_id], each.currency, each.amount) for each in found]
