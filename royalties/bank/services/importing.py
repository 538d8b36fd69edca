"""A bank's file becomes statements and entries: streamed into a temporary table, checked, and kept whole or not at all.

Imports for one account wait for each other. What was imported before is known by what it says, in whichever file it comes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from licensing.intake.models import StoredFile
from licensing.intake.services import keep, path_of
from royalties.bank import core
from royalties.bank.core import Line, Problem, Statement
from royalties.bank.formats import camt, table
from royalties.bank.models import BankAccount, BankStatement, StatementImport
from royalties.bank.services.accounts import own_account
from royalties.bank.services.guards import who

_STAGE: Final = """
    CREATE TEMP TABLE bank_incoming (
      line bigint GENERATED ALWAYS AS IDENTITY, part integer, row integer, sign smallint, amount bigint, booked_on date,
      value_on date, bank_ref text,
      end_to_end_id text, batch_ref text, reference text, counterparty text, counterparty_account text, purpose text,
      code text, return_reason text, reversal boolean, instructed_amount bigint, instructed_currency text, rate numeric
    ) ON COMMIT DROP"""
_COPY: Final = """
    COPY bank_incoming (part, row, sign, amount, booked_on, value_on, bank_ref, end_to_end_id, batch_ref, reference,
      counterparty, counterparty_account, purpose, code, return_reason, reversal, instructed_amount, instructed_currency,
      rate) FROM STDIN"""
# What counts an entry once: the bank's reference (a reversal's apart), else a digest of what it says, and its number among equals.
_KEYED: Final = """
    CREATE TEMP TABLE bank_keyed ON COMMIT DROP AS
    SELECT part, row, line, place, CASE WHEN nth = 1 THEN base ELSE left(base, 92) || '#' || nth END AS ref
    FROM (SELECT *, row_number() OVER (PARTITION BY base ORDER BY part, place) AS nth
          FROM (SELECT part, row, line, row_number() OVER (PARTITION BY part ORDER BY line * %s) AS place,
                       CASE WHEN bank_ref <> '' THEN left(bank_ref, 90) || CASE WHEN reversal THEN '/R' ELSE '' END
                       ELSE 'sha:' || left(encode(sha256(convert_to(concat_ws(chr(31), booked_on, value_on, sign, amount,
                            end_to_end_id, reference, counterparty, counterparty_account, purpose, code, reversal), 'UTF8')),
                            'hex'), 40) END AS base
                FROM bank_incoming) b) n"""
_INSERT: Final = """
    INSERT INTO royalties_entry (society_id, account_id, statement_id, position, sign, amount, currency, booked_on, value_on,
      bank_ref, end_to_end_id, batch_ref, reference, counterparty, counterparty_account, purpose, code, return_reason, reversal,
      instructed_amount, instructed_currency, rate, applied, status)
    SELECT %(society)s, %(account)s, %(statement)s, k.place, i.sign, i.amount, %(currency)s, i.booked_on, i.value_on, k.ref,
      i.end_to_end_id, i.batch_ref, i.reference, i.counterparty, i.counterparty_account, i.purpose, i.code, i.return_reason,
      i.reversal, i.instructed_amount, i.instructed_currency, i.rate, 0, 'open'
    FROM bank_incoming i JOIN bank_keyed k ON k.line = i.line
    WHERE i.part = %(part)s ORDER BY k.place"""


@dataclass
class _Part:
    """One statement of the file, as far as it was read."""

    number: int
    credits: int = 0
    debits: int = 0
    count: int = 0
    digest: str = ""
    head: Statement | None = None


@dataclass
class _Read:
    """What a file gave: its statements of this account, its problems, and for which other accounts it has some."""

    parts: list[_Part] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    others: set[str] = field(default_factory=set)


def import_statement(
    *,
    actor: Actor,
    account: BankAccount,
    stream: IO[bytes],
    name: str,
    opening: int | None = None,
    closing: int | None = None,
    despite: str = "",
) -> StatementImport:
    """Keep a bank's file for this account and read it: all of its statements, or none. The outcome says what happened.

    `opening` and `closing` are for a CSV without balances. `despite`: why a statement is taken that does not follow the last
    one; without it such a file is not taken, and the outcome asks. The same again changes nothing and says so.
    """
    account = own_account(actor, account.pk)
    stored = keep(actor=actor, stream=stream, name=name, organisation=account.society)
    terms = table.Terms(account.number, account.currency, account.columns, opening, closing)
    try:
        with transaction.atomic():
            return _import(actor, account, stored, terms, despite.strip()[:300])
    except _Problems as refused:
        return _told(actor, account, stored, refused, [problem.as_data() for problem in refused.found])
    except Refusal as refusal:
        return _told(actor, account, stored, refusal, [])


class _Problems(Refusal):
    def __init__(self, found: list[Problem]) -> None:
        super().__init__(
            "bad_rows",
            _("%(count)s rows cannot be read, so nothing was imported: a statement counts as a whole.")
            % {"count": len(found)},
        )
        self.found = found


def _told(
    actor: Actor, account: BankAccount, stored: StoredFile, refusal: Refusal, problems: list[dict[str, object]]
) -> StatementImport:
    asks = refusal.code in ("statement_does_not_follow",)
    if not problems and refusal.row:
        problems = [{"row": refusal.row, "column": "", "value": "", "reason": str(refusal)}]
    return StatementImport.objects.create(
        account=account, file=stored, status=StatementImport.Status.ASKS if asks else StatementImport.Status.REFUSED,
        code=refusal.code, detail=str(refusal), problems=problems, by=who(actor),
    )  # fmt: skip


def _import(
    actor: Actor, account: BankAccount, stored: StoredFile, terms: table.Terms, despite: str
) -> StatementImport:
    BankAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    read = _stage(account, stored, terms)
    if read.problems:
        raise _Problems(read.problems)
    if not read.parts:
        raise Refusal(
            "other_account",
            _("The file has no statement of this account; it is for %(others)s.")
            % {"others": ", ".join(sorted(read.others))[:200] or "–"},
        )
    made: list[BankStatement] = []
    known: list[BankStatement] = []
    for part in sorted(read.parts, key=lambda each: (each.head.first_day, each.head.last_day) if each.head else ()):
        same = BankStatement.objects.filter(account=account, sha256=part.digest).first()
        (known if same else made).append(same or _kept(actor, account, stored, part, despite))
    outcome = StatementImport.objects.create(
        account=account, file=stored, status=StatementImport.Status.DONE if made else StatementImport.Status.UNCHANGED,
        entry_count=sum(each.entry_count for each in made), by=who(actor),
        detail=_beside(read.others),
    )  # fmt: skip
    outcome.statements.set([*made, *known])
    return outcome


def _beside(others: set[str]) -> str:
    if not others:
        return ""
    named = ", ".join(sorted(others))[:200]
    return _("The file also has statements of %(others)s. Import it for these accounts too.") % {"others": named}


def _stage(account: BankAccount, stored: StoredFile, terms: table.Terms) -> _Read:
    """The file's entries in a temporary table, each statement's sums and digest beside it. Memory does not grow with the file."""
    if stored.size > core.MOST_BYTES:
        raise Refusal("too_large", _("The file is larger than %(most)s bytes.") % {"most": core.MOST_BYTES})
    read = _Read()
    with path_of(stored).open("rb") as file, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bank_incoming, bank_keyed")
        cursor.execute(_STAGE)
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
        file.seek(0)
        found = camt.read(file) if head.startswith(b"<") else table.read(file, terms)
        with cursor.copy(_COPY) as copy:
            for row in _rows(account, found, read):
                copy.write_row(row)
        cursor.execute("ANALYZE bank_incoming")
        direction = -1 if any(part.head and part.head.backwards for part in read.parts) else 1
        cursor.execute(_KEYED, [direction])
    return read


def _rows(
    account: BankAccount, found: Iterable[Line | Problem | Statement], read: _Read
) -> Iterator[tuple[object, ...]]:
    for number in itertools.count(1):
        part, digest = _Part(number), core.Digest(account.pk)
        for each in found:
            if isinstance(each, Problem):
                if len(read.problems) < core.MOST_PROBLEMS:
                    read.problems.append(each)
            elif isinstance(each, Statement):
                part.head, part.digest = each, digest.close(each)
                break
            else:
                part.count += 1
                part.credits += each.amount if each.sign == 1 else 0
                part.debits += each.amount if each.sign == -1 else 0
                digest.line(each)
                yield _values(number, each)
        if part.head is None:
            return
        if (part.head.account, part.head.currency) == (account.number, account.currency):
            read.parts.append(part)
        else:
            read.others.add(f"{part.head.account} {part.head.currency}".strip())


def _values(part: int, line: Line) -> tuple[object, ...]:
    return (
        part, line.row, line.sign, line.amount, line.booked_on, line.value_on, line.bank_ref, line.end_to_end_id,
        line.batch_ref, line.reference, line.counterparty, line.counterparty_account, line.purpose, line.code,
        line.return_reason, line.reversal, line.instructed_amount, line.instructed_currency, line.rate,
    )  # fmt: skip


def _kept(actor: Actor, account: BankAccount, stored: StoredFile, part: _Part, despite: str) -> BankStatement:
    """One statement and its entries, once it adds up and follows."""
    head = part.head
    assert head is not None
    head.check(part.credits, part.debits)
    gap = _follows(account, head)
    if gap and not despite:
        raise Conflict("statement_does_not_follow", gap, pointer="/despite")
    last = BankStatement.objects.filter(account=account).order_by("-place").values_list("place", flat=True).first()
    _nothing_twice(account, part)
    made = BankStatement.objects.create(
        account=account, file=stored, place=(last or 0) + 1, sha256=part.digest, reference=head.reference,
        sequence=head.sequence, first_day=head.first_day, last_day=head.last_day, opening=head.opening, closing=head.closing,
        credits=part.credits, debits=part.debits, entry_count=part.count, gap=despite if gap else "", imported_by=who(actor),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "society": account.society_id, "account": account.pk, "statement": made.pk, "currency": account.currency,
                "part": part.number,
            },
        )  # fmt: skip
        if part.count >= 1_000:
            cursor.execute("ANALYZE royalties_entry")
    data = {
        "account": account.name, "entries": part.count, "opening": head.opening, "closing": head.closing, "sha256": part.digest,
        "since": head.first_day.isoformat(), "until": head.last_day.isoformat(),
    } | ({"reason": despite} if gap else {})  # fmt: skip
    about = Reference("bank_statement", made.pk)
    record(actor=actor, verb="bank_statement.imported", object=about, organisation_id=account.society_id, data=data)
    return made


def _follows(account: BankAccount, head: Statement) -> str:
    """Why a statement does not follow what is there; empty where it does. Days that overlap are refused outright."""
    others = BankStatement.objects.filter(account=account)
    over = others.filter(first_day__lt=head.last_day, last_day__gt=head.first_day).order_by("place").first()
    if over is not None:
        raise Conflict(
            "statement_overlaps",
            _("Statement %(name)s covers %(start)s to %(end)s already. Ask the bank for the days that are missing.")
            % {"name": over, "start": over.first_day, "end": over.last_day},
        )
    before = others.filter(last_day__lte=head.first_day).order_by("-last_day", "-place").first()
    after = others.filter(first_day__gte=head.last_day, last_day__gt=head.first_day)
    following = after.order_by("first_day", "place").first()
    if before is not None and before.closing != head.opening:
        said = _("It opens with %(opening)s, but the statement up to %(day)s closed with %(closing)s (minor units).")
        return said % {
            "opening": head.opening, "closing": before.closing, "day": before.last_day,
        }  # fmt: skip
    if following is not None and following.opening != head.closing:
        return _("It closes with %(closing)s, but the statement from %(day)s on opens with %(opening)s (minor units).") % {
            "closing": head.closing, "opening": following.opening, "day": following.first_day,
        }  # fmt: skip
    numbered = before and before.sequence and head.sequence and before.last_day.year == head.last_day.year
    if before and numbered and following is None and head.sequence != (before.sequence or 0) + 1:
        return _("Its number is %(number)s, but the one before is %(before)s.") % {
            "number": head.sequence, "before": before.sequence,
        }  # fmt: skip
    return ""


def _nothing_twice(account: BankAccount, part: _Part) -> None:
    """No entry of it is there already, by the bank's reference or by what it says."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.row, k.ref FROM bank_keyed k JOIN royalties_entry e ON e.account_id = %s AND e.bank_ref = k.ref"
            " WHERE k.part = %s ORDER BY k.row LIMIT %s",
            [account.pk, part.number, core.MOST_PROBLEMS],
        )
        found = [Problem(row, "bank_ref", ref, core.REPEATED) for row, ref in cursor.fetchall()]
    if found:
        raise _Problems(found)
