"""What a payout must know of a holder's payments: who gets what of them, and what of an order is used up already."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict
from accounts.organisations.models import Organisation
from royalties.entitlements.core import WHOLE, Claim, Terms
from royalties.entitlements.models import Entitlement
from royalties.entitlements.services import guards

_RECEIVERS = """
    SELECT payee_id, details_id FROM royalties_payees_at(%s, %s, %s) WHERE payee_id = ANY (%s) AND blocked = ''"""
_PAYMENTS = """
    INSERT INTO royalties_entitlementpayment (entitlement_id, key, currency, amount, "on")
    SELECT p.entitlement_id, %s, %s, p.amount, %s FROM unnest(%s::bigint[], %s::bigint[]) AS p (entitlement_id, amount)
    ORDER BY p.entitlement_id ON CONFLICT ON CONSTRAINT entitlement_is_paid_once_a_key DO NOTHING"""
_RECORDED = """
    SELECT entitlement_id, amount FROM royalties_entitlementpayment WHERE key = %s AND entitlement_id = ANY (%s)"""


def terms_for(
    *, society_id: int, currency: str, on: datetime.date, moment: datetime.datetime | None = None
) -> dict[int, Terms]:
    """By holder, who else gets what of a payment on that day; only holders with any. For `core.divide`.

    An order that has taken its total is left out. A payment is blocked while an order or a succession waits for its second
    person, while heirs are not complete, and while a receiver has no payee details that can be used at `moment` (now).
    """
    rights = Entitlement.objects.filter(society_id=society_id, valid__contains=on).filter(
        Q(status=Entitlement.Status.APPROVED)
        | Q(status=Entitlement.Status.REQUESTED, kind__in=[Entitlement.Kind.GARNISHMENT, Entitlement.Kind.SUCCESSION])
    )
    found = [each for each in rights.filter(Q(currency="") | Q(currency=currency)) if each.left != 0]
    receivers = _receivers(society_id, currency, moment or timezone.now(), found)
    by_holder: defaultdict[int, list[Entitlement]] = defaultdict(list)
    for each in found:
        by_holder[each.holder_id].append(each)
    terms = {holder: _terms(of_one, receivers) for holder, of_one in by_holder.items()}
    return {holder: each for holder, each in terms.items() if each != Terms()}


def _receivers(society_id: int, currency: str, moment: datetime.datetime, found: list[Entitlement]) -> dict[int, int]:
    payees = sorted({each.to_payee_id for each in found if each.to_payee_id})
    if not payees:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_RECEIVERS, [society_id, currency, moment, payees])
        return dict(cursor.fetchall())


def _terms(of_one: list[Entitlement], receivers: Mapping[int, int]) -> Terms:
    waiting = any(each.status == Entitlement.Status.REQUESTED for each in of_one)
    heirs = sum(each.ppm for each in of_one if each.kind == Entitlement.Kind.SUCCESSION)
    redirected = [each for each in of_one if each.to_payee_id and each.status == Entitlement.Status.APPROVED]
    missing = any(each.to_payee_id not in receivers for each in redirected)
    blocked = "entitlement" if waiting or 0 < heirs < WHOLE else "receiver_blocked" if missing else ""
    claims = {
        kind: tuple(
            Claim(each.pk, receivers.get(each.to_payee_id or 0, 0), each.ppm, each.left, each.priority)
            for each in sorted(redirected, key=lambda each: (each.priority, each.pk))
            if each.kind == kind
        )
        for kind in (Entitlement.Kind.GARNISHMENT, Entitlement.Kind.OTHER_PAYEE)
    }
    return Terms(claims[Entitlement.Kind.GARNISHMENT], claims[Entitlement.Kind.OTHER_PAYEE], blocked)


@transaction.atomic
def took(
    *, actor: Actor, society: Organisation, key: str, currency: str, on: datetime.date, amounts: Mapping[int, int]
) -> None:
    """Record what a batch of payments orders to third parties, by entitlement, under a key of its own (`payout:7`).

    A second time with the same amounts changes nothing; with others it is a Conflict, and so is more than an order's total.
    """
    guards.enter(actor, society, guards.PREPARE)
    _record(society, key, currency, on, {pk: amount for pk, amount in amounts.items() if amount})


@transaction.atomic
def gave_back(
    *, actor: Actor, society: Organisation, key: str, currency: str, on: datetime.date, amounts: Mapping[int, int]
) -> None:
    """What came back from third parties (positive amounts): their orders may take it again. Keyed as `took` is."""
    guards.enter(actor, society, guards.PREPARE)
    _record(society, key, currency, on, {pk: -amount for pk, amount in amounts.items() if amount})


def _record(society: Organisation, key: str, currency: str, on: datetime.date, amounts: Mapping[int, int]) -> None:
    pks = sorted(amounts)
    if Entitlement.objects.filter(pk__in=pks, society=society).count() != len(pks):
        raise Conflict("unknown_entitlement", _("An entitlement that was to be paid is not of this society."))
    values: list[Any] = [pks, [amounts[pk] for pk in pks]]
    with guards.in_words(), connection.cursor() as cursor:
        cursor.execute(_PAYMENTS, [key, currency, on, *values])
        cursor.execute(_RECORDED, [key, pks])
        if dict(cursor.fetchall()) != dict(amounts):
            raise Conflict("key_used_otherwise", _("Other amounts are on record under this key already."))
