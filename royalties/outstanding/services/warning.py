"""Warnings before money expires: 180, 90 and 30 days ahead, each amount once for each, to finance and to holders who are known."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Reference
from accounts.organisations.models import Organisation
from licensing.repertoire.services.telling import tell_holders, tell_staff
from royalties.outstanding import core

_STEP: Final = (
    "CASE "
    + " ".join(f"WHEN o.expires_on <= %(today)s::date + {days} THEN {days}" for days in sorted(core.WARN_DAYS))
    + " END"
)
_STAGE: Final = f"""
    CREATE TEMP TABLE warning ON COMMIT DROP AS
    SELECT o.allocation_id, o.currency, o.amount, o.expires_on, o.holder_id, o.work_id, {_STEP} AS days
    FROM royalties_outstandingclock o
    WHERE o.society_id = %(society)s AND o.expires_on <= %(today)s::date + {max(core.WARN_DAYS)}
      AND NOT EXISTS (SELECT FROM royalties_warnedallocation w WHERE w.allocation_id = o.allocation_id AND w.days = {_STEP})"""
_WARN: Final = """
    INSERT INTO royalties_expirywarning (society_id, currency, days, warned_on, first_expires_on, allocations, amount)
    SELECT %(society)s, currency, days, %(today)s, min(expires_on), count(*), sum(amount) FROM warning GROUP BY currency, days
    ORDER BY currency, days RETURNING id, currency, days, allocations, amount, first_expires_on"""
_AMOUNTS: Final = """
    INSERT INTO royalties_warnedallocation (warning_id, allocation_id, days)
    SELECT n.id, w.allocation_id, w.days FROM warning w JOIN royalties_expirywarning n
      ON n.currency = w.currency AND n.days = w.days AND n.id = ANY(%(ids)s)
    ORDER BY w.allocation_id"""
# Who is known to be concerned: whose share is disputed, and who has a share in a work that waits as a whole.
_HOLDERS: Final = """
    SELECT days, holder_id FROM warning WHERE holder_id IS NOT NULL
    UNION SELECT w.days, s.holder_id FROM warning w JOIN licensing_share s ON s.work_id = w.work_id WHERE w.holder_id IS NULL"""
STAFF_SAID: Final = (
    gettext_noop("Money that waits expires in %(days)s days or less"),
    gettext_noop(
        "%(count)s amounts, the first on %(first)s. Look whom nobody has tried to reach yet, and publish the list."
    ),
)
HOLDER_SAID: Final = (
    gettext_noop("Money for works of yours expires in %(days)s days or less"),
    gettext_noop("It is held, and cannot be paid after that. See why, and what you can do."),
)


def warn_all() -> int:
    """Warn for every society; returns how many amounts were warned of."""
    return sum(warn(society) for society in Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("pk"))


@transaction.atomic
def warn(society: Organisation) -> int:
    """Warn of what comes due: of each amount once for each of the days, the nearest that applies."""
    today = timezone.localdate()
    values: dict[str, Any] = {"society": society.pk, "today": today}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('royalties.warning', %s))", [society.pk])
        cursor.execute(_STAGE, values)
        cursor.execute(_WARN, values)
        made = cursor.fetchall()
        cursor.execute(_AMOUNTS, {"ids": [row[0] for row in made]})
        cursor.execute(_HOLDERS)
        holders = cursor.fetchall()
        cursor.execute("DROP TABLE warning")
    for pk, currency, days, count, amount, first in made:
        data = {
            "currency": currency,
            "amount": int(amount),
            "allocations": count,
            "days": days,
            "on": first.isoformat(),
        }
        record(
            actor=SYSTEM,
            verb="expiry.warned",
            object=Reference("expiry_warning", pk),
            organisation_id=society.pk,
            data=data,
        )
        facts = {"days": days, "count": count, "first": first.isoformat()}
        about: dict[str, Any] = {"key": f"expiry:{pk}", "kind": "expiry"}
        tell_staff(society.pk, "distribution.approve", STAFF_SAID, facts, route="royalties:warnings", **about)
    for days in sorted({days for days, _holder in holders}):
        concerned = [holder for step, holder in holders if step == days]
        last = max(row[0] for row in made if row[2] == days)
        tell_holders(
            concerned, HOLDER_SAID, {"days": days}, key=f"expiry:{last}", kind="expiry", route="royalties:my_waiting"
        )
    return sum(row[3] for row in made)
