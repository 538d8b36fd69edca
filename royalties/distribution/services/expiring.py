"""What is held or in suspense is declared non-distributable: by a resolution, made and approved above, in one journal."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from royalties.distribution.models import ExpiredAllocation
from royalties.distribution.services.guards import enter
from royalties.ledger import services as ledger
from royalties.ledger.models import Journal

_STAGE: Final = "CREATE TEMP TABLE royalties_expiring ON COMMIT DROP AS SELECT DISTINCT q.id FROM ({query}) AS q (id)"
_LOCK: Final = """
    SELECT count(*) FROM (
      SELECT r.id FROM royalties_run r WHERE r.id IN (
        SELECT a.run_id FROM royalties_expiring e JOIN royalties_allocation a ON a.id = e.id
        UNION SELECT p.run_id FROM (SELECT DISTINCT a.pool_id FROM royalties_expiring e JOIN royalties_allocation a ON a.id = e.id) x
              JOIN royalties_runpool p ON p.id = royalties_root(x.pool_id)) ORDER BY r.id FOR NO KEY UPDATE) locked"""
_SUMS: Final = """
    SELECT o.currency, o.status, sum(o.amount)::bigint, count(*), count(o.taken_by_id)
    FROM royalties_expiring e JOIN royalties_outstandingallocation o ON o.allocation_id = e.id AND o.society_id = %s
    WHERE o.run_id IN (SELECT a.run_id FROM royalties_expiring x JOIN royalties_allocation a ON a.id = x.id)
    GROUP BY 1, 2 ORDER BY 1, 2"""
_INSERT: Final = """
    INSERT INTO royalties_expiredallocation (allocation_id, resolution_id, amount, journal_id)
    SELECT a.id, %s, a.amount, %s FROM royalties_expiring e JOIN royalties_allocation a ON a.id = e.id ORDER BY a.id"""


@transaction.atomic
def expire(
    *,
    actor: Actor,
    society: Organisation,
    allocations: str,
    params: Sequence[Any] = (),
    resolution_id: int,
    effective_on: datetime.date,
    key: str,
) -> Journal:
    """Move amounts held or in suspense to `undistributable`, for good: held | suspense → undistributable, in one journal.

    `allocations` is a query (with `params`) of ids of the view `royalties_outstandingallocation`, of one currency. Nothing of
    it is ever released, divided anew or reversed afterwards. Again under the same key: the journal that is there.

    Raises Refusal where it names nothing, or several currencies; Conflict where some of it does not stand any more, or a run
    that is not posted yet has it.
    """
    enter(actor, society, "distribution.approve")
    if done := Journal.objects.filter(society=society, idempotency_key=key).first():
        return _same(done, resolution_id)
    with connection.cursor() as cursor:
        cursor.execute(_STAGE.format(query=allocations), params)
        cursor.execute(_LOCK)
        cursor.execute("SELECT count(*) FROM royalties_expiring")
        asked = cursor.fetchone()[0]
        cursor.execute(_SUMS, [society.pk])
        sums = cursor.fetchall()
        _check(asked, sums)
        journal = _post(actor, society, sums, effective_on, key)
        cursor.execute(_INSERT, [resolution_id, journal.pk])
        cursor.execute("DROP TABLE royalties_expiring")
    data = {
        "journal": journal.pk, "currency": sums[0][0], "allocations": asked,
        **{status: amount for _currency, status, amount, _many, _taken in sums},
    }  # fmt: skip
    reference = Reference("resolution", resolution_id)
    record(actor=actor, verb="allocations.expired", object=reference, organisation_id=society.pk, data=data)
    return journal


def _same(journal: Journal, resolution_id: int) -> Journal:
    if ExpiredAllocation.objects.filter(journal=journal, resolution_id=resolution_id).exists():
        return journal
    raise Conflict("key_used_otherwise", _("This key was used for something else. Use another one."))


def _check(asked: int, sums: Sequence[tuple[str, str, int, int, int]]) -> None:
    """`sums`: currency, status, amount, how many allocations, how many of them a run has that is not posted."""
    if not asked:
        raise Refusal("nothing_to_expire", _("Nothing that is held or in suspense was named."))
    if sum(many for _currency, _status, _amount, many, _taken in sums) != asked:
        said = _(
            "Some of it was paid, divided anew or declared non-distributable meanwhile. Look again at what is left."
        )
        raise Conflict("not_outstanding", said)
    if any(taken for *_others, taken in sums):
        said = _("A distribution that is not posted yet takes some of it. Post or discard that one first.")
        raise Conflict("being_released", said)
    if len({currency for currency, *_others in sums}) > 1:
        raise Refusal("several_currencies", _("Amounts of one currency expire together; name one."))


def _post(
    actor: Actor, society: Organisation, sums: Sequence[tuple[str, str, int, int, int]], on: datetime.date, key: str
) -> Journal:
    book: dict[str, Any] = {"society_id": society.pk, "currency": sums[0][0]}
    kept = ledger.account(kind="undistributable", owner_id=None, **book)
    transfers = [
        ledger.Transfer(ledger.account(kind=status, owner_id=None, **book), kept, amount)
        for _currency, status, amount, _many, _taken in sums
    ]
    return ledger.post(society_id=society.pk, kind="expiry", key=key, effective_on=on, transfers=transfers, actor=actor)
