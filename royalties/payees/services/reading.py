"""Reading accounts in the clear: for a bank file, or to compare with a paper. Each reading is logged and shown."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, NotFound, Reference, Refusal
from royalties.payees.core import Account
from royalties.payees.keys import unseal
from royalties.payees.models import PayeeDetails

_MAY = ("payees.manage", "payouts.prepare", "payouts.approve")


@transaction.atomic
def reveal(*, actor: Actor, details_ids: Iterable[int], reason: str) -> dict[int, Account]:
    """These accounts in the clear, for a stated reason, by the society's people who pay.

    One event says who read how many and why, and each payee sees it on their page. Raises NotFound where one of them is
    not the society's; a version without an account is left out.
    """
    if not reason.strip():
        raise Refusal("reason_needed", _("Say why you read the account: its holder will see it."), pointer="/reason")
    if not actor.is_system and not (actor.is_society and any(actor.can(permission) for permission in _MAY)):
        raise Forbidden(_("Only those of the society who pay may read accounts."))
    wanted = sorted(set(details_ids))
    mine = PayeeDetails.objects.all()
    if not actor.is_system:
        mine = mine.filter(society_id=actor.organisation_id)
    rows = list(
        mine.filter(pk__in=wanted)
        .order_by("pk")
        .values_list("pk", "payee_id", "version", "key_id", "sealed", "society_id")
    )
    if len(rows) != len(wanted):
        raise NotFound(_("There are no such payment details."))
    found = {
        pk: account
        for pk, payee_id, version, key_id, sealed, _society in rows
        if (account := unseal(sealed, key_id=key_id, payee_id=payee_id, version=version)) is not None
    }
    by_society: dict[int, list[int]] = {}
    for pk, *_rest, society_id in rows:
        by_society.setdefault(society_id, []).append(pk)
    for society_id, read in by_society.items():
        _log(actor, society_id, read, reason.strip()[:200])
    return found


def _log(actor: Actor, society_id: int, details_ids: list[int], reason: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO royalties_payeereading (details_id, reader, reason, read_at) SELECT unnest(%s::bigint[]), %s, %s, %s",
            [details_ids, actor.label[:200], reason, timezone.now()],
        )
    about = (
        Reference("payee_details", details_ids[0]) if len(details_ids) == 1 else Reference("organisation", society_id)
    )
    record(
        actor=actor, verb="payee.read", object=about, organisation_id=society_id,
        data={"reason": reason, "accounts": len(details_ids)},
    )  # fmt: skip
