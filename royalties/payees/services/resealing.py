"""A change of keys: everything that lies under another key is sealed again under the first of the ring."""

from __future__ import annotations

from django.db import connection, transaction

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference
from royalties.payees import keys
from royalties.payees.models import PayeeDetails

_BATCH = 5_000


def reseal(*, actor: Actor) -> int:
    """Seal every version anew that is not under the present key; returns how many. May be stopped and begun again.

    Opens each under its own key, so the former keys must still be in PAYEE_KEYS; afterwards they may go.
    """
    if not actor.is_system:
        actor.require("organisation.manage")
    done = 0
    while some := _batch(actor):
        done += some
    return done


@transaction.atomic
def _batch(actor: Actor) -> int:
    key = keys.current()
    rows = list(
        PayeeDetails.objects.exclude(key_id=key.id).select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", "payee_id", "version", "key_id", "sealed", "residence", "tax_status")[:_BATCH]
    )  # fmt: skip
    anew = []
    for pk, payee_id, version, key_id, sealed, *said in rows:
        account = keys.unseal(sealed, key_id=key_id, payee_id=payee_id, version=version)
        anew.append(
            (
                pk,
                keys.seal(account, payee_id=payee_id, version=version, key=key),
                keys.fingerprint(account, tuple(said), key),
            )
        )
    if not anew:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE royalties_payeedetails d SET sealed = n.sealed, fingerprint = n.fingerprint, key_id = %s "
            "FROM unnest(%s::bigint[], %s::bytea[], %s::text[]) n(id, sealed, fingerprint) WHERE d.id = n.id",
            [key.id, *(list(column) for column in zip(*anew, strict=True))],
        )
    record(
        actor=actor,
        verb="payee.resealed",
        object=Reference("payee_key", key.id),
        organisation_id=None,
        data={"accounts": len(anew)},
    )
    return len(anew)
