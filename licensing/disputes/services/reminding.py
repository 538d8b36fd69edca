"""Who has not answered is reminded, some days before it is due; the society hears of what nobody answered in time."""

from __future__ import annotations

import datetime
from typing import Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.organisations.models import Organisation
from licensing.disputes.services.common import STAFF
from licensing.disputes.services.terms import terms_on
from licensing.repertoire.services.telling import tell_holders, tell_staff

# Each conflict is marked with the reminder that it had; what comes due today for none, one or several works is one notice a person.
_MARK: Final = """
    UPDATE licensing_dispute SET reminded = %(days)s
    WHERE society_id = %(society)s AND status = 'open' AND due_on <= %(due)s AND (reminded IS NULL OR reminded > %(days)s)
    RETURNING id"""
_SILENT: Final = """
    SELECT DISTINCT p.holder_id FROM licensing_disputeparty p JOIN licensing_dispute d ON d.id = p.dispute_id
    WHERE d.id = ANY(%(ids)s) AND (p.position = 'silent' OR (p.position = 'agreed' AND p.agreed_to <> d.revision))"""
REMINDED: Final = (
    gettext_noop("Your answer about shares is due by %(due)s"),
    gettext_noop(
        "Works of yours are in dispute and their money is held. Look at what is claimed and proposed, and answer."
    ),
)
OVERDUE: Final = (
    gettext_noop("%(count)s conflicts over shares were not settled in time"),
    gettext_noop("Not everybody has answered. The society can decide on the ground of a document, by two people."),
)


def remind() -> int:
    """Remind for every society; returns how many conflicts were reminded of."""
    today = timezone.localdate()
    societies = Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("pk")
    return sum(_remind(society, today) for society in societies)


@transaction.atomic
def _remind(society: Organisation, today: datetime.date) -> int:
    marked = 0
    days = sorted({0, *terms_on(society.pk, today).reminders})
    with connection.cursor() as cursor:
        for left in days:  # the latest reminder first: an earlier one that was missed is not sent after it
            due = today + datetime.timedelta(days=left) - datetime.timedelta(days=0 if left else 1)
            cursor.execute(_MARK, {"society": society.pk, "due": due, "days": left})
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                continue
            marked += len(ids)
            key = f"disputes-due:{society.pk}:{left}:{max(ids)}:{today.isoformat()}"
            if not left:
                tell_staff(
                    society.pk, STAFF, OVERDUE, {"count": len(ids)}, key=key, kind="dispute", route="licensing:disputes"
                )
                continue
            cursor.execute(_SILENT, {"ids": ids})
            holders = [row[0] for row in cursor.fetchall()]
            tell_holders(
                holders, REMINDED, {"due": due.isoformat()}, key=key, kind="dispute", route="licensing:disputes"
            )
    return marked
