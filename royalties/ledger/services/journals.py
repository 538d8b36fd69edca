"""Journals: posted whole and once, from a list of transfers or from a query; reversed line for line.

A key identifies a business event. Posting it again with the same content returns the journal that is there; with other
content it is a conflict. Two at once: the second waits for the first to commit, then finds it.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, Reference
from royalties.ledger import core
from royalties.ledger.core import Transfer
from royalties.ledger.models import Journal
from royalties.ledger.services.refusals import check_day, refusals

_HEAD = """
    INSERT INTO ledger_journal (society_id, kind, idempotency_key, request_sha256, effective_on, reverses_id,
                                posting_count, posting_total)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT ON CONSTRAINT ledger_journal_key_is_used_once DO NOTHING RETURNING id"""
_STAGE = """
    CREATE TEMP TABLE ledger_staged ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY q.debit_id, q.credit_id, q.amount)::integer AS line, q.debit_id, q.credit_id, q.amount
    FROM ({query}) AS q (debit_id, credit_id, amount)"""
_MEASURE = """
    SELECT count(*), coalesce(sum(amount), 0), sha256(convert_to(
      %s || coalesce(E'\\n' || string_agg(concat_ws(' ', debit_id, credit_id, amount), E'\\n' ORDER BY line), ''), 'UTF8'))
    FROM ledger_staged"""
_COPY_STAGED = """
    INSERT INTO ledger_posting (journal_id, line, debit_id, credit_id, currency, amount)
    SELECT %s, s.line, s.debit_id, s.credit_id, a.currency, s.amount
    FROM ledger_staged s LEFT JOIN ledger_account a ON a.id = s.debit_id"""
_INSERT = """
    INSERT INTO ledger_posting (journal_id, line, debit_id, credit_id, currency, amount)
    SELECT %s, t.line, t.debit_id, t.credit_id, a.currency, t.amount
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS t (debit_id, credit_id, amount, line)
    LEFT JOIN ledger_account a ON a.id = t.debit_id"""
_MIRROR = """
    INSERT INTO ledger_posting (journal_id, line, debit_id, credit_id, currency, amount)
    SELECT %s, line, credit_id, debit_id, currency, amount FROM ledger_posting WHERE journal_id = %s"""


@dataclass(frozen=True, slots=True)
class _Request:
    """A journal as it is asked for, with its control totals and digest."""

    society_id: int
    kind: str
    key: str
    effective_on: datetime.date
    sha256: bytes
    count: int
    total: int
    reverses: int | None = None


def post(
    *,
    society_id: int,
    kind: str,
    key: str,
    effective_on: datetime.date,
    transfers: Sequence[Transfer],
    actor: Actor = SYSTEM,
) -> Journal:
    """Post one journal: all transfers or none. The currency is that of the accounts; all belong to this society's book.

    `kind` says what happened (`invoice`, `receipt`, `run`); `key` identifies the event for ever. The same key with the
    same content returns the journal that is there. Raises Conflict for other content under the key, an overdrawn
    account, a closed day, or accounts that do not fit together; nothing is then posted.

    Example: an invoice of ₩1,000 net and ₩100 VAT is two transfers, receivable → billed 1,000 and receivable → vat 100.
    """
    core.check(transfers)
    check_day(effective_on)
    sha256 = core.digest(core.heading(society_id, kind, effective_on), transfers)
    total = sum(transfer.amount for transfer in transfers)
    request = _Request(society_id, kind, key, effective_on, sha256, len(transfers), total)
    with refusals(), connection.cursor() as cursor:
        journal, new = _head(cursor, request)
        if new:
            columns = [[getattr(transfer, name) for transfer in transfers] for name in ("debit", "credit", "amount")]
            cursor.execute(_INSERT, [journal.pk, *columns])
            _evidence(actor, journal)
    return journal


def post_query(
    *,
    society_id: int,
    kind: str,
    key: str,
    effective_on: datetime.date,
    query: str,
    params: Sequence[Any] = (),
    actor: Actor = SYSTEM,
) -> Journal:
    """As `post`, with the transfers from a query of three columns: debit account, credit account, amount.

    For volume: the rows never leave PostgreSQL. Lines are numbered by debit, credit and amount, so that the same rows
    in any order are the same content.
    """
    check_day(effective_on)
    with refusals(), connection.cursor() as cursor:
        cursor.execute(_STAGE.format(query=query), params)
        cursor.execute(_MEASURE, [core.heading(society_id, kind, effective_on)])
        count, total, sha256 = cursor.fetchone()
        if not count:
            core.check(())
        request = _Request(society_id, kind, key, effective_on, bytes(sha256), count, total)
        journal, new = _head(cursor, request)
        if new:
            cursor.execute(_COPY_STAGED, [journal.pk])
            _evidence(actor, journal)
        cursor.execute("DROP TABLE ledger_staged")
    return journal


def reverse(*, journal: Journal, key: str, effective_on: datetime.date, actor: Actor = SYSTEM) -> Journal:
    """Take a journal back by another that mirrors it line for line, on the same day or later. A second time: the same one.

    Raises Conflict where it was reversed under another key, is itself a reversal, or its money has moved on.
    """
    check_day(effective_on)
    sha256 = core.digest(core.heading(journal.society_id, "reversal", effective_on, journal.pk), ())
    request = _Request(
        journal.society_id,
        "reversal",
        key,
        effective_on,
        sha256,
        journal.posting_count,
        int(journal.posting_total),
        journal.pk,
    )
    with refusals(), connection.cursor() as cursor:
        reversal, new = _head(cursor, request)
        if new:
            cursor.execute(_MIRROR, [reversal.pk, journal.pk])
            _evidence(actor, reversal)
    return reversal


def _head(cursor: CursorWrapper, request: _Request) -> tuple[Journal, bool]:
    """Write the journal's head, or find the one of this key; the second value says whether it is new."""
    cursor.execute(
        _HEAD,
        [
            request.society_id, request.kind, request.key, request.sha256, request.effective_on, request.reverses,
            request.count, request.total,
        ],
    )  # fmt: skip
    row = cursor.fetchone()
    if row is not None:
        return Journal.objects.get(pk=row[0]), True
    journal = Journal.objects.get(idempotency_key=request.key)
    if bytes(journal.request_sha256) != request.sha256:
        raise Conflict(
            "key_used_otherwise",
            _("Journal %(journal)s was posted under the key “%(key)s” with other content. Use another key.")
            % {"journal": journal.pk, "key": request.key},
        )
    return journal, False


def _evidence(actor: Actor, journal: Journal) -> None:
    data = {
        "kind": journal.kind, "key": journal.idempotency_key, "effective_on": journal.effective_on.isoformat(),
        "postings": journal.posting_count, "total": int(journal.posting_total), "reverses": journal.reverses_id,
    }  # fmt: skip
    record(
        actor=actor,
        verb="journal.posted",
        object=Reference("journal", journal.pk),
        organisation_id=journal.society_id,
        data=data,
    )
