"""What pages show of payouts: who could be paid now, how a batch differs from the one before, what comes next for a holder."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from royalties.ledger.models import Account
from royalties.payouts.models import Batch, CarriedForward
from royalties.payouts.services.policies import next_payment, policy_on

_QUEUE: Final = """
    SELECT reason, count(*), sum(amount)::bigint FROM (
      SELECT a.credits - a.debits AS amount,
             CASE WHEN p.holder_id IS NULL THEN 'no_payee' WHEN p.blocked <> '' THEN p.blocked
                  WHEN a.credits - a.debits < %(threshold)s THEN 'below_threshold' ELSE '' END AS reason
      FROM ledger_account a
      LEFT JOIN royalties_payee_on(%(society)s, %(currency)s, %(moment)s) p ON p.holder_id = a.owner_id
      WHERE a.society_id = %(society)s AND a.kind = 'payable' AND a.currency = %(currency)s AND a.credits > a.debits) w
    GROUP BY reason ORDER BY reason"""
_BLOCKED: Final = "SELECT holder_id, blocked FROM royalties_payee_on(%s, %s, %s) WHERE holder_id = ANY (%s)"
_LARGEST: Final = """
    SELECT h.ref, coalesce(nullif(h.name_ko, ''), h.name), coalesce(n.net, 0)::bigint, coalesce(b.net, 0)::bigint
    FROM (SELECT holder_id, sum(net) AS net FROM royalties_payment WHERE batch_id = %s GROUP BY holder_id) n
    FULL JOIN (SELECT holder_id, sum(net) AS net FROM royalties_payment WHERE batch_id = %s GROUP BY holder_id) b USING (holder_id)
    JOIN licensing_holder h ON h.id = holder_id
    WHERE coalesce(n.net, 0) <> coalesce(b.net, 0)
    ORDER BY abs(coalesce(n.net, 0) - coalesce(b.net, 0)) DESC, h.ref LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is owed in a currency and could be paid now, or why not; in minor units."""

    currency: str
    reason: str
    holders: int
    amount: int

    @property
    def label(self) -> str:
        return str(dict(CarriedForward.Reason.choices).get(self.reason, self.reason))


def queue(society_id: int, currency: str) -> list[Waiting]:
    """What is payable, by what stands in its way; '' for what can be paid now. Tax and others' rights are looked at later."""
    policy = policy_on(society_id, currency, timezone.localdate())
    values: dict[str, Any] = {
        "society": society_id, "currency": currency, "moment": timezone.now(),
        "threshold": policy.threshold if policy else 0,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE, values)
        return [Waiting(currency, *row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a holder gets by this batch, and got by the one before."""

    ref: str
    name: str
    now: int
    before: int

    @property
    def change(self) -> int:
        return self.now - self.before


def batch_before(batch: Batch) -> Batch | None:
    """The last one in its currency that was ordered."""
    earlier = Batch.objects.filter(society=batch.society_id, currency=batch.currency, pk__lt=batch.pk)
    return earlier.filter(ordered_at__isnull=False).order_by("-id").first()


def differences(batch: Batch, before: Batch, most: int = 20) -> list[Difference]:
    """The holders whose payment changed most since the batch before, the largest change first."""
    with connection.cursor() as cursor:
        cursor.execute(_LARGEST, [batch.pk, before.pk, most])
        return [Difference(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Next:
    """What a holder is owed now in a currency, when it is paid next, and what stands in its way."""

    holder_id: int
    society_id: int
    currency: str
    amount: int
    on: datetime.date | None
    reason: str
    threshold: int

    @property
    def label(self) -> str:
        return str(dict(CarriedForward.Reason.choices).get(self.reason, self.reason))


def next_payments(holder_ids: Iterable[int]) -> list[Next]:
    """For each of these holders and currency in which something is owed."""
    owed = Account.objects.filter(kind="payable", owner_id__in=list(holder_ids)).order_by("owner_id", "currency")
    found: list[Next] = []
    for society_id, currency, rows in _by_book(owed):
        policy = policy_on(society_id, currency, timezone.localdate())
        threshold, on = policy.threshold if policy else 0, next_payment(society_id, currency)
        with connection.cursor() as cursor:
            cursor.execute(_BLOCKED, [society_id, currency, timezone.now(), [holder for holder, _amount in rows]])
            blocked = dict(cursor.fetchall())
        for holder, amount in rows:
            reason = blocked.get(holder, "no_payee") or ("below_threshold" if amount < threshold else "")
            found.append(Next(holder, society_id, currency, amount, on, reason, threshold))
    return found


def _by_book(owed: Any) -> list[tuple[int, str, list[tuple[int, int]]]]:
    books: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for society_id, currency, holder, had, spent in owed.values_list(
        "society_id", "currency", "owner_id", "credits", "debits"
    ):
        if had > spent:
            books.setdefault((society_id, currency.strip()), []).append((holder, had - spent))
    return [(society_id, currency, rows) for (society_id, currency), rows in sorted(books.items())]
