"""What a batch pays: one pass over the payable balances of a society in a currency, in bounded memory.

PostgreSQL reads the balances with each holder's payee through a cursor; the tax and the division among receivers are pure
functions; payments and what is carried forward go back by COPY, a few thousand holders at a time, in one transaction.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, Conflict, Refusal
from accounts.organisations.models import Organisation
from royalties.entitlements.core import Terms, divide
from royalties.entitlements.models import Entitlement
from royalties.entitlements.services import terms_for, transfer
from royalties.entitlements.services.rights import MOVES
from royalties.ledger import services as ledger
from royalties.payees.core import TaxRules, Treaty, withhold
from royalties.payees.models import TaxRule
from royalties.payees.services import tax_rules, treaties
from royalties.payouts.core import Digest, Share, end_to_end_id, shares
from royalties.payouts.models import Batch, CarriedForward, Payment
from royalties.payouts.services.guards import nothing_to_pay, record_batch

_AT_ONCE: Final = 4_000
# Of what a holder is owed, as much as they were once paid too much. A run nets the two itself; a returned payment cannot.
_RECOVERABLE: Final = """
    SELECT a.id AS debit_id, r.id AS credit_id, least(a.credits - a.debits, r.debits - r.credits) AS amount
    FROM ledger_account r
    JOIN ledger_account a ON a.society_id = r.society_id AND a.kind = 'payable' AND a.owner_id = r.owner_id AND a.currency = r.currency
    WHERE r.society_id = %s AND r.kind = 'recoverable' AND r.currency = %s AND r.debits > r.credits AND a.credits > a.debits"""
_DUE: Final = """
    SELECT h.id, a.credits - a.debits, p.details_id, p.tax_status, p.residence, p.treaty_id, coalesce(p.blocked, 'no_payee'),
           least(coalesce(c.amount, 0), a.credits - a.debits)
    FROM ledger_account a
    JOIN licensing_holder h ON h.id = a.owner_id
    LEFT JOIN royalties_payee_on(%(society)s, %(currency)s, %(moment)s) p ON p.holder_id = h.id
    LEFT JOIN royalties_carriedforward c ON c.holder_id = h.id AND c.batch_id = %(before)s
    WHERE a.society_id = %(society)s AND a.kind = 'payable' AND a.currency = %(currency)s AND a.credits > a.debits
    ORDER BY h.ref COLLATE "C" """
_PAYMENTS: Final = """
    COPY royalties_payment (batch_id, society_id, holder_id, position, details_id, entitlement_id, end_to_end_id, currency, gross,
      withheld, net, brought_forward, taxes, status, bank_status, reason, reason_text, bank_ref, execute_on) FROM STDIN"""
_CARRIED: Final = "COPY royalties_carriedforward (batch_id, society_id, holder_id, currency, amount, reason) FROM STDIN"
_RESENT: Final = """
    UPDATE royalties_payment n SET resend_of_id = f.id
    FROM (SELECT DISTINCT ON (p.holder_id, coalesce(p.entitlement_id, 0)) p.id, p.holder_id, coalesce(p.entitlement_id, 0) AS right_id
          FROM royalties_payment p
          WHERE p.society_id = %(society)s AND p.currency = %(currency)s AND p.status IN ('rejected', 'returned')
            AND NOT EXISTS (SELECT 1 FROM royalties_payment r WHERE r.resend_of_id = p.id)
          ORDER BY p.holder_id, coalesce(p.entitlement_id, 0), p.id DESC) f
    WHERE n.batch_id = %(batch)s AND n.holder_id = f.holder_id AND coalesce(n.entitlement_id, 0) = f.right_id"""
# What the figures rest on, of the holders who are paid: their payee data, papers and checks as they are at a moment.
_RESTS_ON: Final = """
    SELECT md5(coalesce(string_agg(concat_ws(' ', p.holder_id, p.details_id, p.tax_status, p.residence, p.treaty_id, p.blocked), ','
                                   ORDER BY p.holder_id), ''))
    FROM royalties_payee_on(%(society)s, %(currency)s, %(moment)s) p
    WHERE p.holder_id IN (SELECT holder_id FROM royalties_payment WHERE batch_id = %(batch)s)"""


@dataclass(frozen=True, slots=True)
class Due:
    """What one holder is owed, and how they can be paid."""

    holder: int
    gross: int
    details: int | None
    tax_status: str | None
    residence: str | None
    treaty: int | None
    blocked: str
    brought: int


@dataclass(frozen=True, slots=True)
class Planned:
    """One receiver's payment."""

    details: int
    entitlement: int | None
    share: Share


@dataclass
class Sums:
    """What the pass has come to so far."""

    gross: int = 0
    withheld: int = 0
    net: int = 0
    payments: int = 0
    holders: int = 0
    carried: int = 0
    carried_holders: int = 0


@dataclass(frozen=True, slots=True)
class Law:
    """All that a holder's payment follows from, besides the holder."""

    rules: TaxRules
    papers: Mapping[int, Treaty]
    terms: Mapping[int, Terms]
    on: datetime.date
    currency: str
    threshold: int


def plan(due: Due, law: Law) -> list[Planned] | str:
    """A holder's payments, or the reason why what they are owed is carried forward."""
    if due.blocked or due.details is None:
        return due.blocked or CarriedForward.Reason.NO_PAYEE.value
    if due.gross < law.threshold:
        return CarriedForward.Reason.BELOW_THRESHOLD.value
    terms = law.terms.get(due.holder, Terms())
    if terms.blocked:
        return terms.blocked
    try:
        taxed = withhold(
            rules=law.rules,
            tax_status=due.tax_status or "",
            residence=due.residence or "",
            on=law.on,
            currency=law.currency,
            gross=due.gross,
            treaty=law.papers.get(due.treaty) if due.treaty else None,
        )
    except Refusal as refusal:
        if refusal.code != "no_tax_rule":
            raise
        return CarriedForward.Reason.NO_TAX_RULE.value
    if taxed.net <= 0:
        return CarriedForward.Reason.NOTHING_LEFT.value
    parts = divide(taxed.net, terms)
    divided = shares(taxed.lines, [part.amount for part in parts])
    return [
        Planned(part.to_details_id or due.details, part.entitlement_id, share)
        for part, share in zip(parts, divided, strict=True)
    ]


def fill(actor: Actor, batch: Batch) -> tuple[Sums, str]:
    """Write the batch's payments and what it carries forward; returns the sums and the digest of all of it."""
    _recover(actor, batch)
    batch.transferred = transfer(
        actor=actor, society=batch.society, currency=batch.currency, on=timezone.localdate(), key=f"payout:{batch.pk}"
    )
    sums, digest = Sums(), Digest(head(batch))
    law = law_of(batch)
    for rows in _due(batch):
        _store(batch, sums, digest, [(due, plan(due, law)) for due in rows])
    with connection.cursor() as cursor:
        cursor.execute(_RESENT, {"society": batch.society_id, "currency": batch.currency, "batch": batch.pk})
    return sums, digest.hex()


def _recover(actor: Actor, batch: Batch) -> None:
    """payable → recoverable, before anybody is paid what they were paid already."""
    values: list[Any] = [batch.society_id, batch.currency]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({_RECOVERABLE})", values)
        if not cursor.fetchone()[0]:
            return
    ledger.post_query(
        society_id=batch.society_id, kind="recovery", key=f"payout:{batch.pk}:recovery", effective_on=timezone.localdate(),
        query=_RECOVERABLE, params=values, actor=actor,
    )  # fmt: skip


def head(batch: Batch) -> str:
    """What a batch's digest begins with."""
    return f"{batch.pk} {batch.society_id} {batch.currency} {batch.execute_on.isoformat()}"


def law_of(batch: Batch) -> Law:
    """Rules, papers and others' claims as they are for this batch now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT treaty_id FROM royalties_payee_on(%s, %s, %s) WHERE treaty_id IS NOT NULL",
            [batch.society_id, batch.currency, timezone.now()],
        )
        papers = treaties(paper for (paper,) in cursor.fetchall())
    return Law(
        tax_rules(batch.execute_on, jurisdiction(batch.society)), papers, _terms(batch), batch.execute_on, batch.currency,
        batch.policy.threshold if batch.policy else 0,
    )  # fmt: skip


def jurisdiction(society: Organisation) -> str:
    """The country whose law says what the society withholds."""
    return society.country or "KR"


def rests_on(batch: Batch) -> str:
    """A digest of what the batch rests on besides the balances: where it changes, the batch is prepared anew.

    Payees, papers and checks; others' claims, and who has taken over what a holder is owed since; the rules of tax; and how
    it is paid, from which account: a policy that has not begun yet can still be replaced.
    """
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "society": batch.society_id,
            "currency": batch.currency,
            "moment": timezone.now(),
            "batch": batch.pk,
        }
        cursor.execute(_RESTS_ON, values)
        payees = cursor.fetchone()[0]
    said = (payees, sorted(_terms(batch).items()), _moves(batch), _rules(batch), _ways(batch))
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _moves(batch: Batch) -> list[tuple[int, str]]:
    """Assignments and successions by which money of those who are paid goes to others before the next payout."""
    paid = Payment.objects.filter(batch=batch).values("holder_id")
    found = Entitlement.objects.approved().filter(society=batch.society_id, kind__in=MOVES, holder_id__in=paid)
    return [(pk, str(valid)) for pk, valid in found.order_by("pk").values_list("pk", "valid")]


def _rules(batch: Batch) -> list[tuple[str, int]]:
    found = TaxRule.objects.in_force(batch.execute_on).filter(jurisdiction=jurisdiction(batch.society))
    return list(found.order_by("ref", "version").values_list("ref", "version"))


def _ways(batch: Batch) -> tuple[Any, ...]:
    policy = batch.policy
    if policy is None:
        return ()
    return (
        policy.pk, policy.debtor_id, policy.columns, policy.ascii_only, policy.remittance, policy.threshold
    )  # fmt: skip


def _terms(batch: Batch) -> dict[int, Terms]:
    return terms_for(society_id=batch.society_id, currency=batch.currency, on=timezone.localdate())


def _before(batch: Batch) -> int:
    """The last batch that told holders what was carried forward."""
    earlier = Batch.objects.filter(society=batch.society_id, currency=batch.currency, pk__lt=batch.pk)
    told = earlier.filter(ordered_at__isnull=False) | earlier.filter(payments=0, prepared_at__isnull=False)
    return told.order_by("-id").values_list("pk", flat=True).first() or 0


def _due(batch: Batch) -> Iterator[list[Due]]:
    values = {
        "society": batch.society_id, "currency": batch.currency, "moment": timezone.now(), "before": _before(batch),
    }  # fmt: skip
    with connection.connection.cursor(name=f"payout_{batch.pk}") as cursor:
        cursor.execute(_DUE, values)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield [Due(*row) for row in rows]


def _store(batch: Batch, sums: Sums, digest: Digest, planned: list[tuple[Due, list[Planned] | str]]) -> None:
    payments: list[tuple[Any, ...]] = []
    carried: list[tuple[Any, ...]] = []
    for due, found in planned:
        if isinstance(found, str):
            carried.append((batch.pk, batch.society_id, due.holder, batch.currency, due.gross, found))
            sums.carried, sums.carried_holders = sums.carried + due.gross, sums.carried_holders + 1
            digest.carry(due.holder, due.gross, found)
            continue
        sums.holders += 1
        brought, others = due.brought, 0
        for each in found:
            others += each.entitlement is not None
            sums.payments += 1
            share, forward = each.share, min(brought, each.share.gross)
            brought -= forward
            made = end_to_end_id(batch.pk, due.holder, others if each.entitlement is not None else 0)
            payments.append((
                batch.pk, batch.society_id, due.holder, sums.payments, each.details, each.entitlement, made, batch.currency,
                share.gross, share.withheld, share.net, forward, json.dumps([tax.as_data() for tax in share.taxes]), "planned",
                "", "", "", "", batch.execute_on,
            ))  # fmt: skip
            digest.add(
                position=sums.payments, end_to_end=made, holder=due.holder, details=each.details, gross=share.gross,
                net=share.net, taxes=share.taxes,
            )  # fmt: skip
            sums.gross, sums.withheld, sums.net = (
                sums.gross + share.gross, sums.withheld + share.withheld, sums.net + share.net,
            )  # fmt: skip
    _copy(_PAYMENTS, payments)
    _copy(_CARRIED, carried)


def _copy(statement: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


@transaction.atomic
def prepare(batch_id: int, *, actor: Actor = SYSTEM) -> Batch:
    """Compute a draft: everything or nothing. One that is prepared already is returned as it is.

    Where nobody can be paid, what is owed is carried forward with its reasons and the batch ends there. Whoever computes it
    at the same moment waits, and finds it done. Raises Refusal where nobody is owed anything, Conflict where it was discarded.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("society", "policy__debtor").get(pk=batch_id)
    if batch.status == Batch.Status.DISCARDED and not batch.prepared_at:
        raise Conflict("batch_is_discarded", _("This payout was discarded."))
    if batch.status != Batch.Status.DRAFT:
        return batch
    sums, digest = fill(actor, batch)
    if not sums.payments and not sums.carried_holders:
        raise nothing_to_pay()
    for name in ("gross", "withheld", "net", "payments", "holders", "carried", "carried_holders"):
        setattr(batch, name, getattr(sums, name))
    batch.status = Batch.Status.PREPARED if sums.payments else Batch.Status.DISCARDED
    batch.digest, batch.input_digest, batch.prepared_at = digest, rests_on(batch), timezone.now()
    batch.problems = []
    batch.save()
    record_batch(
        actor, batch, "prepared", digest=digest, gross=sums.gross, payments=sums.payments, carried=sums.carried
    )
    return batch
