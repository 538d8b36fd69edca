"""What others have a right to, moved in the ledger before holders are paid: one journal, exact, once under its key.

The order: what is to be recovered of a holder is netted by the runs already. Then heirs take over, assignees get what was
assigned to them, advances are recouped (`core.flows` computes these three), and what then stands to the credit of a sister
society's members goes to that society, less the deductions agreed with it (computed in PostgreSQL, since they are many).
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Sum

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation
from royalties.entitlements.core import Advanced, Came, Flow, Right, flows
from royalties.entitlements.models import Advance, Entitlement, EntitlementMove, SisterAgreement
from royalties.entitlements.services import guards
from royalties.entitlements.services.rights import MOVES
from royalties.ledger import services as ledger
from royalties.ledger.models import Account, Journal

JOURNAL: Final = "entitlements"
# What leaves payable without having been income: payments and their return, and what this slice moved itself.
_NO_INCOME: Final = ["bank", "paying", "tax", "advance", "sister", "payable", "deduction", "unapplied"]
_LEGS = """
    SELECT a.owner_id, j.effective_on, p.amount, p.debit_id AS other_id
    FROM ledger_account a JOIN ledger_posting p ON p.credit_id = a.id JOIN ledger_journal j ON j.id = p.journal_id
    WHERE a.society_id = %(society)s AND a.kind = 'payable' AND a.currency = %(currency)s AND a.owner_id = ANY (%(holders)s)
    UNION ALL
    SELECT a.owner_id, j.effective_on, -p.amount, p.credit_id
    FROM ledger_account a JOIN ledger_posting p ON p.debit_id = a.id JOIN ledger_journal j ON j.id = p.journal_id
    WHERE a.society_id = %(society)s AND a.kind = 'payable' AND a.currency = %(currency)s AND a.owner_id = ANY (%(holders)s)"""
_CAME = f"""
    SELECT l.owner_id, l.effective_on, sum(l.amount)::bigint
    FROM ({_LEGS}) l JOIN ledger_account o ON o.id = l.other_id
    WHERE l.effective_on <= %(on)s AND split_part(o.kind, ':', 1) <> ALL (%(no_income)s)
    GROUP BY 1, 2"""
_OPENING = f"""
    SELECT e.id, sum(l.amount)::bigint
    FROM ({_LEGS}) l JOIN royalties_entitlement e ON e.holder_id = l.owner_id AND e.id = ANY (%(rights)s)
    WHERE l.effective_on < lower(e.valid)
    GROUP BY 1"""
_STAGE = """
    DROP TABLE IF EXISTS entitlement_flow, sister_flow;
    CREATE TEMP TABLE entitlement_flow (kind text, right_id bigint, holder_id bigint, to_id bigint, amount bigint) ON COMMIT DROP;
    CREATE TEMP TABLE sister_flow (agreement_id bigint, sister_id bigint, holder_id bigint, their_ref varchar, gross bigint, cuts bigint[])
      ON COMMIT DROP"""
_FLOWS = """
    INSERT INTO entitlement_flow SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"""
_SISTERS = """
    INSERT INTO sister_flow
    WITH moved AS (
      SELECT holder_id, sum(amount) AS amount FROM (
        SELECT holder_id, -amount AS amount FROM entitlement_flow
        UNION ALL SELECT to_id, amount FROM entitlement_flow WHERE kind <> 'recoupment') m GROUP BY holder_id)
    SELECT g.id, m.sister_id, m.holder_id, m.their_ref, b.gross, royalties_sister_cuts(b.gross, g.ppms)
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS given (id, sister_id, ppms_text)
    CROSS JOIN LATERAL (SELECT given.id, given.ppms_text::integer[] AS ppms) g
    JOIN royalties_sistermember m ON m.society_id = %s AND m.sister_id = given.sister_id
    LEFT JOIN ledger_account a ON a.society_id = %s AND a.kind = 'payable' AND a.owner_id = m.holder_id AND a.currency = %s
    LEFT JOIN moved f ON f.holder_id = m.holder_id
    CROSS JOIN LATERAL (SELECT (coalesce(a.credits - a.debits, 0) + coalesce(f.amount, 0))::bigint AS gross) b
    WHERE b.gross > 0"""
_TRANSFERS = """
    WITH payable AS (SELECT owner_id, id FROM ledger_account
                     WHERE society_id = %(society)s AND kind = 'payable' AND currency = %(currency)s),
    other AS (SELECT owner_id, id, kind FROM ledger_account
              WHERE society_id = %(society)s AND kind IN ('advance', 'sister') AND currency = %(currency)s)
    SELECT h.id AS debit_id, t.id AS credit_id, sum(f.amount)::bigint AS amount
    FROM entitlement_flow f JOIN payable h ON h.owner_id = f.holder_id JOIN payable t ON t.owner_id = f.to_id
    WHERE f.kind <> 'recoupment' GROUP BY 1, 2
    UNION ALL
    SELECT h.id, a.id, sum(f.amount)::bigint
    FROM entitlement_flow f JOIN payable h ON h.owner_id = f.holder_id JOIN other a ON a.kind = 'advance' AND a.owner_id = f.holder_id
    WHERE f.kind = 'recoupment' GROUP BY 1, 2
    UNION ALL
    SELECT h.id, s.id, n.net
    FROM sister_flow f JOIN payable h ON h.owner_id = f.holder_id JOIN other s ON s.kind = 'sister' AND s.owner_id = f.sister_id
    CROSS JOIN LATERAL (SELECT (f.gross - coalesce((SELECT sum(c) FROM unnest(f.cuts) AS c), 0))::bigint AS net) n
    WHERE n.net > 0
    UNION ALL
    SELECT h.id, d.account_id, c.amount
    FROM sister_flow f JOIN payable h ON h.owner_id = f.holder_id
    CROSS JOIN LATERAL unnest(f.cuts) WITH ORDINALITY AS c (amount, place)
    JOIN unnest(%(agreements)s::bigint[], %(places)s::integer[], %(accounts)s::bigint[]) AS d (agreement_id, place, account_id)
      ON d.agreement_id = f.agreement_id AND d.place = c.place
    WHERE c.amount > 0"""
_MOVES = """
    INSERT INTO royalties_entitlementmove (entitlement_id, journal_id, source_id, target_id, currency, amount, "on")
    SELECT right_id, %s, holder_id, to_id, %s, amount, %s FROM entitlement_flow WHERE kind <> 'recoupment'"""
_RECOUPED = """
    INSERT INTO royalties_advancemove (advance_id, journal_id, kind, amount, "on")
    SELECT right_id, %s, 'recouped', amount, %s FROM entitlement_flow WHERE kind = 'recoupment'"""
_STATEMENTS = """
    WITH made AS (
      INSERT INTO royalties_sisterstatement
        (society_id, sister_id, agreement_id, journal_id, currency, "on", holders, gross, cuts, net, status, bank_reference, created_at)
      SELECT %s, s.sister_id, s.agreement_id, %s, %s, %s, s.holders, s.gross, s.cuts,
             s.gross - coalesce((SELECT sum(c) FROM unnest(s.cuts) AS c), 0), 'open', '', now()
      FROM (SELECT f.sister_id, f.agreement_id, count(*) AS holders, sum(f.gross)::bigint AS gross,
                   coalesce((SELECT array_agg(t.total ORDER BY t.place) FROM (
                     SELECT c.place, sum(c.amount)::bigint AS total FROM sister_flow o
                     CROSS JOIN LATERAL unnest(o.cuts) WITH ORDINALITY AS c (amount, place)
                     WHERE o.agreement_id = f.agreement_id GROUP BY c.place) t), '{}') AS cuts
            FROM sister_flow f GROUP BY f.sister_id, f.agreement_id) s
      RETURNING id, agreement_id)
    INSERT INTO royalties_sisterline (statement_id, holder_id, their_ref, gross, cuts, net)
    SELECT m.id, f.holder_id, f.their_ref, f.gross, f.cuts, f.gross - coalesce((SELECT sum(c) FROM unnest(f.cuts) AS c), 0)
    FROM sister_flow f JOIN made m ON m.agreement_id = f.agreement_id"""


@transaction.atomic
def transfer(*, actor: Actor, society: Organisation, currency: str, on: datetime.date, key: str) -> Journal | None:
    """Move what others have a right to of what holders are owed, as of a day. None where there is nothing to move.

    The same key again gives the journal that is there and moves nothing. Transfers of one society wait for each other. Raises
    Conflict where a payment took a balance meanwhile: try again.
    """
    guards.enter(actor, society, guards.PREPARE)
    guards.one_at_a_time(society.pk)
    name = f"{JOURNAL}:{society.pk}:{currency}:{key}"
    done = Journal.objects.filter(idempotency_key=name).first()
    if done is not None:
        return done
    agreements = list(SisterAgreement.objects.in_force(on).filter(society=society).order_by("id"))
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        moved = _stage_flows(cursor, computed(society.pk, currency, on))
        moved += _stage_sisters(cursor, society.pk, currency, agreements)
        journal = _post(actor, society.pk, currency, on, name, agreements) if moved else None
        if journal is not None:
            cursor.execute(_MOVES, [journal.pk, currency, on])
            cursor.execute(_RECOUPED, [journal.pk, on])
            cursor.execute(_STATEMENTS, [society.pk, journal.pk, currency, on])
        cursor.execute("DROP TABLE entitlement_flow, sister_flow")
    return journal


def computed(society_id: int, currency: str, on: datetime.date) -> tuple[Flow, ...]:
    """What `core.flows` makes of the rights, advances and balances as stored."""
    rights = _rights(society_id, currency, on)
    advances = _advances(society_id, currency, on)
    if not rights and not advances:
        return ()
    everyone = {each.holder for each in rights} | {each.to for each in rights} | {each.holder for each in advances}
    reckoned = {each.holder for each in rights if each.kind == "assignment"} | {each.holder for each in advances}
    came, gone = _history(society_id, currency, on, reckoned)
    accounts = Account.objects.filter(society_id=society_id, kind="payable", currency=currency, owner_id__in=everyone)
    rows = accounts.values_list("owner_id", "credits", "debits")
    balances = {owner: had - spent for owner, had, spent in rows if owner is not None}
    return flows(on=on, balances=balances, came=came, rights=rights, advances=advances, gone=gone)


def _rights(society_id: int, currency: str, on: datetime.date) -> list[Right]:
    """Assignments that have begun, ended ones too: they get what came in on their days. Successions that are in force."""
    begun = Entitlement.objects.approved().filter(society_id=society_id, kind__in=MOVES, valid__startswith__lte=on)
    found = [
        each
        for each in begun.select_related("to_holder")
        if each.kind == Entitlement.Kind.ASSIGNMENT or each.valid.upper is None or on < each.valid.upper
    ]
    assigned = [each for each in found if each.kind == Entitlement.Kind.ASSIGNMENT]
    sums = EntitlementMove.objects.filter(entitlement__in=[each.pk for each in assigned], currency=currency)
    got = dict(sums.values_list("entitlement").annotate(total=Sum("amount")))
    opening = _openings(society_id, currency, [each for each in assigned if each.with_arrears])
    return [
        Right(
            each.pk, "succession" if each.kind == Entitlement.Kind.SUCCESSION else "assignment", each.holder_id,
            each.to_holder.pk, each.to_holder.ref, each.ppm, each.valid.lower, each.valid.upper, each.priority,
            opening.get(each.pk, 0), int(got.get(each.pk, 0)),
        )
        for each in found if each.to_holder is not None
    ]  # fmt: skip


def _openings(society_id: int, currency: str, rights: Sequence[Entitlement]) -> dict[int, int]:
    if not rights:
        return {}
    values: dict[str, Any] = {
        "society": society_id, "currency": currency, "holders": [each.holder_id for each in rights],
        "rights": [each.pk for each in rights],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_OPENING, values)
        return dict(cursor.fetchall())


def _advances(society_id: int, currency: str, on: datetime.date) -> list[Advanced]:
    paid = Advance.objects.filter(society_id=society_id, currency=currency, status=Advance.Status.PAID, paid_on__lte=on)
    return [
        Advanced(each.pk, each.holder_id, each.paid_on, each.ppm, each.stays, each.open, each.recouped)
        for each in paid
        if each.paid_on is not None
    ]


def _history(
    society_id: int, currency: str, on: datetime.date, holders: Iterable[int]
) -> tuple[list[Came], dict[int, list[tuple[datetime.date, int]]]]:
    """What came in for these holders by day, what others' money brought them included; and what left them for others."""
    wanted = sorted(holders)
    values: dict[str, Any] = {
        "society": society_id, "currency": currency, "holders": wanted, "on": on, "no_income": _NO_INCOME,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CAME, values)
        came = [Came(*row) for row in cursor.fetchall()]
    moves = EntitlementMove.objects.filter(currency=currency, on__lte=on)
    brought = moves.filter(target__in=wanted).values_list("target", "on").annotate(total=Sum("amount"))
    came += [Came(holder, day, int(total)) for holder, day, total in brought]
    gone: defaultdict[int, list[tuple[datetime.date, int]]] = defaultdict(list)
    for holder, day, total in moves.filter(source__in=wanted).values_list("source", "on").annotate(total=Sum("amount")):
        gone[holder].append((day, int(total)))
    return came, gone


def _stage_flows(cursor: CursorWrapper, found: Sequence[Flow]) -> int:
    if found:
        columns = [[getattr(each, name) for each in found] for name in ("kind", "id", "holder", "to", "amount")]
        cursor.execute(_FLOWS, columns)
    return len(found)


def _stage_sisters(cursor: CursorWrapper, society_id: int, currency: str, agreements: Sequence[SisterAgreement]) -> int:
    if not agreements:
        return 0
    ppms = ["{" + ",".join(str(ppm) for _name, ppm in each.deductions) + "}" for each in agreements]
    values: list[Any] = [[each.pk for each in agreements], [each.sister_id for each in agreements], ppms]
    cursor.execute(_SISTERS, [*values, society_id, society_id, currency])
    return cursor.rowcount


def _post(
    actor: Actor, society_id: int, currency: str, on: datetime.date, name: str, agreements: Sequence[SisterAgreement]
) -> Journal:
    """Every account opened, then all of it in one journal."""
    book: dict[str, Any] = {"society_id": society_id, "currency": currency}
    for kind, owners in (
        (
            "payable",
            "SELECT to_id FROM entitlement_flow WHERE to_id IS NOT NULL UNION SELECT holder_id FROM sister_flow",
        ),
        ("advance", "SELECT holder_id FROM entitlement_flow WHERE kind = 'recoupment'"),
        ("sister", "SELECT sister_id FROM sister_flow"),
    ):
        ledger.open_accounts(kind=kind, owners=owners, **book)
    cuts = [
        (each.pk, place, ledger.account(kind=f"deduction:{deduction}", owner_id=None, **book))
        for each in agreements
        for place, (deduction, _ppm) in enumerate(each.deductions, 1)
    ]
    params: Any = book | dict(
        zip(("agreements", "places", "accounts"), ([line[at] for line in cuts] for at in range(3)), strict=True)
    )
    params["society"] = params.pop("society_id")
    return ledger.post_query(
        society_id=society_id, kind=JOURNAL, key=name, effective_on=on, query=_TRANSFERS, params=params, actor=actor
    )
