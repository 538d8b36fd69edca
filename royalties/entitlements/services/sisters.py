"""Sister societies: agreements by two people, whom they represent, what is paid to them, and the file that says for whom."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any, Final

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.engine.duck import connect
from licensing.intake.core import SafeWriter, TableSpec
from licensing.intake.models import StoredFile
from licensing.intake.reading import load, refusing
from licensing.intake.services import limits, path_of
from licensing.licences.services import checked_codes, checked_territory
from royalties.bank.models import Entry
from royalties.bank.services import apply, source
from royalties.entitlements.models import SisterAgreement, SisterLine, SisterStatement
from royalties.entitlements.services import guards
from royalties.ledger import services as ledger

AGREEMENT, END, STATEMENT = "sister_agreement", "sister_agreement_end", "sister_statement"
SPEC: Final = TableSpec(required=("holder_ref",), optional=("their_ref",))
MOST_MEMBERS: Final = 1_000_000
COLUMNS: Final = (
    "statement", "sender", "recipient", "agreement", "effective_on", "currency", "row", "holder_ref", "recipient_ref", "ipi", "isni",
    "holder_name", "gross", "deductions", "deduction_detail", "net",
)  # fmt: skip


@transaction.atomic
def request_agreement(
    *,
    actor: Actor,
    society: Organisation,
    sister: Organisation,
    uses: Collection[str],
    territory: Collection[str],
    deductions: Sequence[tuple[str, Decimal]],
    valid_from: datetime.date,
    document: StoredFile,
    valid_to: datetime.date | None = None,
) -> SisterAgreement:
    """Put a representation agreement on record. `deductions` are names and percentages in their order, each of what is left."""
    guards.enter(actor, society, guards.MANAGE)
    if sister.kind != Organisation.Kind.SOCIETY or sister.pk == society.pk:
        raise Refusal("not_a_sister", _("Choose another collecting society."), pointer="/sister")
    if valid_to is not None and valid_to <= valid_from:
        raise Refusal(
            "empty_term",
            _("The end is the first day without it: it must be later than the start."),
            pointer="/valid_to",
        )
    if document.organisation_id != society.pk:
        raise NotFound(_("There is no such file."), pointer="/document")
    made = SisterAgreement.objects.create(
        society=society, sister=sister, uses=checked_codes(uses, terms.USES, "/uses"), territory=checked_territory(territory),
        deductions=_checked(deductions), valid=DateRange(valid_from, valid_to), document=document,
    )  # fmt: skip
    guards.note(
        actor, "sister_agreement.requested", reference(made), society.pk, organisation=sister.ref, since=str(valid_from)
    )
    guards.ask(actor, AGREEMENT, reference(made), society.pk, said(made))
    return made


@transaction.atomic
def decide_agreement(
    *, actor: Actor, agreement: SisterAgreement, approve: bool = True, reason: str = ""
) -> SisterAgreement:
    """Approve or refuse as the second person. One agreement with a society is in force a day."""
    found = guards.own(actor, SisterAgreement, agreement.pk, guards.MANAGE)
    guards.settle(actor, AGREEMENT, reference(found), said(found), approve=approve, reason=reason)
    status = SisterAgreement.Status.APPROVED if approve else SisterAgreement.Status.REFUSED
    waiting = SisterAgreement.objects.filter(pk=found.pk, status=SisterAgreement.Status.REQUESTED)
    with guards.in_words():
        moved = waiting.update(status=status)
    if moved != 1:
        raise Conflict("agreement_is_decided", _("This is decided already."))
    guards.note(actor, f"sister_agreement.{status.value}", reference(found), found.society_id, reason=reason)
    found.refresh_from_db()
    return found


@transaction.atomic
def request_agreement_end(*, actor: Actor, agreement: SisterAgreement, on: datetime.date) -> SisterAgreement:
    """Ask to end an agreement: `on` is the first day without it, after its first."""
    found = guards.own(actor, SisterAgreement, agreement.pk, guards.MANAGE)
    since, until = found.valid.lower, found.valid.upper
    if found.status != SisterAgreement.Status.APPROVED:
        raise Conflict("agreement_is_not_in_force", _("Only what is approved can be ended."))
    if on <= since or (until is not None and on >= until):
        detail = _("The end must lie within its days, after %(first)s.") % {"first": since}
        raise Refusal("outside_term", detail, pointer="/on")
    SisterAgreement.objects.filter(pk=found.pk).update(end_asked=on)
    found.refresh_from_db()
    guards.ask(actor, END, reference(found), found.society_id, said(found) | {"end": on})
    guards.note(actor, "sister_agreement.end_asked", reference(found), found.society_id, on=str(on))
    return found


@transaction.atomic
def decide_agreement_end(
    *, actor: Actor, agreement: SisterAgreement, approve: bool = True, reason: str = ""
) -> SisterAgreement:
    found = guards.own(actor, SisterAgreement, agreement.pk, guards.MANAGE)
    on = found.end_asked
    guards.settle(actor, END, reference(found), said(found) | {"end": on}, approve=approve, reason=reason)
    changes: dict[str, Any] = {"end_asked": None} | ({"valid": DateRange(found.valid.lower, on)} if approve else {})
    if SisterAgreement.objects.filter(pk=found.pk, end_asked=on).update(**changes) != 1:
        raise Conflict("agreement_is_decided", _("This is decided already."))
    verb = "sister_agreement.ended" if approve else "sister_agreement.end_refused"
    guards.note(actor, verb, reference(found), found.society_id, on=str(on), reason=reason)
    found.refresh_from_db()
    return found


@transaction.atomic
def import_sister_members(
    *, actor: Actor, society: Organisation, sister: Organisation, stored: StoredFile
) -> dict[str, Any]:
    """Say whom a sister society represents, from a kept table (holder_ref, their_ref): new ones added, known ones updated.

    A row whose holder is unknown, represented by another society, or named twice is reported with its number. Returns
    read, created, updated, unchanged, rejected, rejects.
    """
    guards.enter(actor, society, guards.MANAGE)
    if stored.organisation_id != society.pk:
        raise NotFound(_("There is no such file."))
    with connect() as engine, refusing():
        load(engine, path_of(stored), spec=SPEC, limits=limits(), into="incoming")
        found = engine.rows(
            f"SELECT row, trim(holder_ref), coalesce(trim(their_ref), '') FROM incoming ORDER BY row LIMIT {MOST_MEMBERS + 1}"
        )
        rejects = [
            {"row": row, "column": column or "", "value": value or "", "reason": reason}
            for row, column, value, reason in engine.rows(
                'SELECT row, "column", left(value, 200), reason FROM rejects ORDER BY row'
            )
        ]
    if len(found) > MOST_MEMBERS:
        raise Refusal("too_large", _("The file has more than a million rows. Split it."))
    read = len(found) + len(rejects)
    rows, more = _good(society, sister, found)
    created, updated = _write(society, sister, rows)
    rejects = sorted(rejects + more, key=lambda each: int(each["row"]))
    counts: dict[str, Any] = {
        "read": read, "created": created, "updated": updated, "unchanged": read - created - updated - len(rejects),
        "rejected": len(rejects),
    }  # fmt: skip
    if created or updated:
        guards.note(
            actor,
            "sister_members.imported",
            Reference("organisation", sister.pk),
            society.pk,
            sha256=stored.sha256,
            **counts,
        )
    return counts | {"rejects": rejects[:1000]}


def _good(
    society: Organisation, sister: Organisation, found: Sequence[Sequence[Any]]
) -> tuple[list[tuple[int, str]], list[dict[str, Any]]]:
    refs = [row[1] for row in found if row[1] and "\x00" not in row[1]]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.ref, h.id, m.sister_id FROM licensing_holder h LEFT JOIN royalties_sistermember m ON m.holder_id = h.id "
            "WHERE h.society_id = %s AND h.ref = ANY (%s)",
            [society.pk, refs],
        )
        known = {ref: (pk, of) for ref, pk, of in cursor.fetchall()}
    rows: list[tuple[int, str]] = []
    rejects, seen = [], set()
    for row, ref, theirs in found:
        pk, of = known.get(ref, (None, None))
        reason = ""
        if pk is None:
            reason = _("there is no holder with this reference")
        elif of not in (None, sister.pk):
            reason = _("another society represents this holder")
        elif pk in seen:
            reason = _("this holder is named twice")
        elif len(theirs) > 64 or "\x00" in theirs:
            reason = _("the value is too long")
        if reason or pk is None:
            rejects.append({"row": row, "column": "holder_ref", "value": str(ref)[:200], "reason": reason})
            continue
        seen.add(pk)
        rows.append((pk, theirs))
    return rows, rejects


def _write(society: Organisation, sister: Organisation, rows: Sequence[tuple[int, str]]) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO royalties_sistermember AS m (society_id, sister_id, holder_id, their_ref) "
            "SELECT %s, %s, r.holder_id, r.their_ref FROM unnest(%s::bigint[], %s::text[]) AS r (holder_id, their_ref) "
            "ON CONFLICT (holder_id) DO UPDATE SET their_ref = excluded.their_ref "
            "WHERE m.sister_id = excluded.sister_id AND m.their_ref <> excluded.their_ref RETURNING (xmax = 0)",
            [society.pk, sister.pk, [pk for pk, _theirs in rows], [theirs for _pk, theirs in rows]],
        )
        new = [row[0] for row in cursor.fetchall()]
    return sum(new), len(new) - sum(new)


@transaction.atomic
def record_sister_paid(
    *,
    actor: Actor,
    statement: SisterStatement,
    on: datetime.date,
    bank_reference: str = "",
    entry: Entry | None = None,
) -> SisterStatement:
    """Record that the bank paid a statement's net to the sister society: sister → bank. The same reference again changes nothing."""
    found = guards.own(actor, SisterStatement, statement.pk, guards.PREPARE)
    given = (entry.bank_ref if entry else bank_reference).strip()[:140]
    if found.status == SisterStatement.Status.PAID and found.bank_reference == given:
        return found
    if found.status == SisterStatement.Status.PAID:
        raise Conflict("sister_is_paid", _("This was paid already."))
    if not given:
        raise Refusal(
            "bank_reference_missing", _("Give the bank's reference of the payment."), pointer="/bank_reference"
        )
    if entry is not None:
        entry = guards.outgoing(found.society_id, entry, found.currency, found.net)
    book: dict[str, Any] = {"society_id": found.society_id, "currency": found.currency}
    journal = None
    if found.net:
        debit = ledger.account(kind="sister", owner_id=found.sister_id, **book)
        credit = source(entry) if entry else ledger.account(kind="bank", owner_id=None, **book)
        journal = ledger.post(
            society_id=found.society_id, kind="sister_payment", key=f"sister_statement:{found.pk}", effective_on=on, actor=actor,
            transfers=[ledger.Transfer(debit, credit, found.net)],
        )  # fmt: skip
        if entry is not None:
            apply(actor=actor, entry=entry, to=Reference(STATEMENT, found.pk), journal=journal)
    with guards.in_words():
        moved = SisterStatement.objects.filter(pk=found.pk, status=SisterStatement.Status.OPEN).update(
            status=SisterStatement.Status.PAID, paid_on=on, bank_reference=given, payment=journal
        )
    if moved != 1:
        raise Conflict("sister_is_paid", _("This was paid already."))
    about = Reference(STATEMENT, found.pk)
    guards.note(actor, "sister_statement.paid", about, found.society_id, amount=found.net, on=str(on))
    found.refresh_from_db()
    return found


def detail_file(statement: SisterStatement) -> Iterator[tuple[Any, ...]]:
    """The rows of the detail file, its header first: one a holder, in the order of their references; amounts in minor units.

    `gross` = `deductions` + `net` in each row; the nets sum to what is paid.
    """
    names = [name for name, _ppm in statement.agreement.deductions]
    yield COLUMNS
    head = (
        statement.pk,
        statement.society.ref,
        statement.sister.ref,
        statement.agreement_id,
        statement.on.isoformat(),
        statement.currency,
    )
    lines = SisterLine.objects.filter(statement=statement).order_by("holder__ref").values_list(
        "holder__ref", "their_ref", "holder__ipi", "holder__isni", "holder__name", "gross", "cuts", "net"
    )  # fmt: skip
    for row, (ref, theirs, ipi, isni, name, gross, cuts, net) in enumerate(lines.iterator(), 1):
        detail = ";".join(f"{each}={cut}" for each, cut in zip(names, cuts, strict=True))
        yield (*head, row, ref, theirs, ipi, isni, name, gross, sum(cuts), detail, net)


def write_detail(statement: SisterStatement, out: IO[str]) -> int:
    """Write the detail file, whose cells no spreadsheet runs; returns how many rows are below its header."""
    writer, rows = SafeWriter(out), -1
    for row in detail_file(statement):
        writer.row(row)
        rows += 1
    return rows


def find_statement(number: int) -> SisterStatement:
    """The statement of this number, for the operator's commands."""
    found = SisterStatement.objects.select_related("society", "sister", "agreement").filter(pk=number).first()
    if found is None:
        raise NotFound(_("There is nothing of this number."))
    return found


def reconciled(statement: SisterStatement) -> dict[str, int]:
    """What the payment, the lines and the ledger say of one statement; all is well where `lines`, `posted` and `net` are one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(p.amount), 0)::bigint FROM ledger_posting p JOIN ledger_account a ON a.id = p.credit_id "
            "WHERE p.journal_id = %s AND a.kind = 'sister' AND a.owner_id = %s",
            [statement.journal_id, statement.sister_id],
        )
        [posted] = cursor.fetchone()
        cursor.execute(
            "SELECT coalesce(sum(net), 0)::bigint, coalesce(sum(gross), 0)::bigint FROM royalties_sisterline WHERE statement_id = %s",
            [statement.pk],
        )
        lines, gross = cursor.fetchone()
        paid = 0
        if statement.payment_id:
            cursor.execute(
                "SELECT sum(amount)::bigint FROM ledger_posting WHERE journal_id = %s", [statement.payment_id]
            )
            [paid] = cursor.fetchone()
    return {
        "gross": statement.gross,
        "net": statement.net,
        "lines": int(lines),
        "lines_gross": int(gross),
        "posted": int(posted),
        "paid": int(paid),
    }


def reference(agreement: SisterAgreement) -> Reference:
    return Reference(AGREEMENT, agreement.pk)


def said(each: SisterAgreement) -> dict[str, Any]:
    """Exactly what a second person approves."""
    return {
        "sister": each.sister_id, "uses": each.uses, "territory": each.territory, "deductions": each.deductions,
        "valid": [each.valid.lower, each.valid.upper], "document": each.document_id,
    }  # fmt: skip


def _checked(deductions: Sequence[tuple[str, Decimal]]) -> list[list[Any]]:
    """Names and ppm; a name is one that an account can carry, a percentage has at most four places."""
    found: list[list[Any]] = []
    for name, percent in deductions:
        text, ppm = name.strip(), percent * 10_000
        if not 1 <= len(text) <= 100 or ":" in text:
            raise Refusal(
                "deduction_name",
                _("A deduction has a name of at most 100 characters, without a colon."),
                pointer="/deductions",
            )
        if not 0 < ppm <= 1_000_000 or ppm != int(ppm):
            raise Refusal(
                "deduction_percent",
                _("A deduction is more than 0 and at most 100 percent, with four places at most."),
                pointer="/deductions",
            )
        if text in [each[0] for each in found]:
            raise Refusal("deduction_twice", _("Each deduction has its own name."), pointer="/deductions")
        found.append([text, int(ppm)])
    return found
