"""How payees stand at a moment, as pages and API show it: used, waiting, and what keeps money from them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop, pgettext_lazy

from licensing.repertoire.models import Holder
from royalties.payees.models import PayeeDetails

# Why nothing is paid to a holder, in words. `no_payee` is that nothing is on record.
BLOCKED: dict[str, Any] = {
    "no_payee": pgettext_lazy("payee", "no payment details"),
    "not_approved": pgettext_lazy("payee", "waits for a second person"),
    "cooling_off": pgettext_lazy("payee", "waiting time is running"),
    "incomplete": pgettext_lazy("payee", "account, tax status or residence is missing"),
    "sanctions": pgettext_lazy("payee", "not yet compared with the lists of sanctions, or on one"),
}

# What the shipped rules call taxes and incomes, for the translator: pages say them in the reader's language.
WORDS = (
    gettext_noop("income tax"),
    gettext_noop("local income tax"),
    gettext_noop("US tax on foreign persons"),
    gettext_noop("US backup withholding"),
    gettext_noop("business income of a resident"),
    gettext_noop("other income of a resident"),
    gettext_noop("income of a Korean organisation"),
    gettext_noop("royalties of a non-resident"),
    gettext_noop("royalties from United States sources of foreign persons"),
    gettext_noop("royalties of payees without papers"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What would be used for a payee at a moment, and what hinders it (a code; empty: nothing)."""

    payee_id: int
    holder_id: int | None
    details_id: int
    tax_status: str
    residence: str
    paper_id: int | None
    blocked: str

    @property
    def hindrance(self) -> Any:
        return BLOCKED.get(self.blocked, self.blocked)


def standing(
    society_id: int, payee_ids: Iterable[int], *, currency: str = "", at: datetime.datetime | None = None
) -> dict[int, Standing]:
    """How these payees stand, by payee."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payee_id, holder_id, details_id, tax_status, residence, treaty_id, blocked "
            "FROM royalties_payees_at(%s, %s, %s) WHERE payee_id = ANY(%s)",
            [society_id, currency, at or timezone.now(), list(payee_ids)],
        )
        return {row[0]: Standing(*row) for row in cursor.fetchall()}


def holders_blocked(found: QuerySet[Holder], society_id: int, blocked: str) -> QuerySet[Holder]:
    """Those of these holders who cannot be paid now for this reason (a code of BLOCKED)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(array_agg(holder_id) FILTER (WHERE blocked = %s OR %s), '{}') "
            "FROM royalties_payee_on(%s, '', %s)",
            [blocked, blocked == "no_payee", society_id, timezone.now()],
        )
        ids = cursor.fetchone()[0]
    return found.exclude(pk__in=ids) if blocked == "no_payee" else found.filter(pk__in=ids)


def ahead(details: Iterable[PayeeDetails]) -> list[PayeeDetails]:
    """The versions that wait, or will be used once their time is over, the newest first: what can still be stopped before."""
    now, requested, approved = timezone.now(), PayeeDetails.Status.REQUESTED, PayeeDetails.Status.APPROVED
    found = [
        each for each in details if each.status == requested or (each.status == approved and not each.is_used(now))
    ]
    return sorted(found, key=lambda each: -each.version)


def latest(details: Iterable[PayeeDetails]) -> PayeeDetails | None:
    """The newest version that is not used yet, where there is one."""
    return next(iter(ahead(details)), None)


def used(details: Iterable[PayeeDetails]) -> PayeeDetails | None:
    """The version that is used now for every currency without an account of its own."""
    now = timezone.now()
    return max(
        (each for each in details if each.is_used(now)),
        key=lambda each: (not each.currency, each.version),
        default=None,
    )
