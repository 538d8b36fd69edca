"""A society's revenue as figures for its charts: what was billed net, by licensee, by use and over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncMonth

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation
from licensing.labels import label
from royalties.billing.models import STILL_OPEN, Invoice, Receipt


@dataclass(frozen=True, slots=True)
class Revenue:
    """Net amounts in minor units of one currency; rows as the charts take them."""

    currency: str
    currencies: tuple[str, ...]
    billed: int
    received: int
    open: int
    by_licensee: list[tuple[str, int]]
    by_use: list[tuple[str, int]]
    over_time: list[tuple[str, str, int]]
    received_over_time: list[tuple[str, int]]


def revenue(actor: Actor, currency: str = "") -> Revenue:
    """Everything that the actor's society billed and received, in the asked currency or its main one."""
    own = Invoice.objects.visible_to(actor).filter(society_id=actor.organisation_id)
    totals: dict[str, Any] = {
        row["currency"]: row for row in own.values("currency").annotate(net=Sum("net"), still_open=Sum(STILL_OPEN))
    }
    currencies = tuple(sorted(totals, key=lambda code: (-totals[code]["net"], code)))
    chosen = currency if currency in totals else (currencies[0] if currencies else "KRW")
    ours = own.filter(currency=chosen)
    receipts = Receipt.objects.filter(invoice__in=ours)
    total: dict[str, Any] = totals.get(chosen, {"net": 0, "still_open": 0})
    uses = _by_use_and_month(actor.organisation_id or 0, chosen)
    return Revenue(
        currency=chosen,
        currencies=currencies,
        billed=int(total["net"]),
        received=int(receipts.aggregate(net=Sum("net"))["net"] or 0),
        open=int(total["still_open"]),
        by_licensee=_by_licensee(ours),
        by_use=_sums(uses),
        over_time=uses,
        received_over_time=_by_month(receipts),
    )


def _by_licensee(ours: Any) -> list[tuple[str, int]]:
    rows = list(ours.order_by().values("licensee_id").annotate(net=Sum("net")).order_by("-net", "licensee_id")[:12])
    names = Organisation.objects.in_bulk([row["licensee_id"] for row in rows])
    return [(str(names[row["licensee_id"]]), int(row["net"])) for row in rows]


def _by_use_and_month(society_id: int, currency: str) -> list[tuple[str, str, int]]:
    """(month, use in words, net), by month of issue; an invoice that knows no uses counts as “other”."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_char(i.issued_on, 'YYYY-MM'), coalesce(u.key, 'other'), sum(coalesce(u.value::bigint, i.net)) "
            "FROM royalties_invoice i LEFT JOIN LATERAL jsonb_each_text(i.by_use) u ON true "
            "WHERE i.society_id = %s AND i.currency = %s GROUP BY 1, 2 ORDER BY 1, 2",
            [society_id, currency],
        )
        return [(month, label(use), int(net)) for month, use, net in cursor.fetchall()]


def _sums(rows: list[tuple[str, str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for _month, use, net in rows:
        sums[use] = sums.get(use, 0) + net
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


def _by_month(receipts: Any) -> list[tuple[str, int]]:
    rows = (
        receipts.order_by()
        .annotate(month=TruncMonth("received_on"))
        .values("month")
        .annotate(net=Sum("net"))
        .order_by("month")
    )
    return [(row["month"].strftime("%Y-%m"), int(row["net"])) for row in rows]
