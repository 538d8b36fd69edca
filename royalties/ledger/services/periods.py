"""Periods: a society closes its book through a day, and no journal is dated on or before it any more."""

from __future__ import annotations

import datetime

from django.db import connection
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference
from accounts.organisations.models import Organisation
from royalties.ledger.services.accounts import open_book
from royalties.ledger.services.refusals import check_day, refusals


def closed_through(society_id: int) -> datetime.date | None:
    """The last closed day of a society's book; None while every day is open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nullif(closed_through, '-infinity') FROM ledger_period WHERE society_id = %s", [society_id]
        )
        row = cursor.fetchone()
    return row[0] if row else None


def hold_book(society_id: int) -> None:
    """Wait for journals under way and let none be posted until the caller's transaction ends."""
    with connection.cursor() as cursor:
        open_book(society_id)
        cursor.execute("SELECT 1 FROM ledger_period WHERE society_id = %s FOR UPDATE", [society_id])


def close_period(*, actor: Actor, society: Organisation, through: datetime.date) -> datetime.date:
    """Close the book through a day, for good. Waits for journals under way; closing a closed day again changes nothing.

    Raises Conflict where the book is closed further already, NotFound for another society's book.
    """
    if not actor.is_system and actor.organisation_id != society.pk:
        raise NotFound(_("There is no such book."))
    actor.require("ledger.close")
    check_day(through)
    with refusals(), connection.cursor() as cursor:
        open_book(society.pk)
        cursor.execute(
            "UPDATE ledger_period SET closed_through = %s WHERE society_id = %s AND closed_through <> %s",
            [through, society.pk, through],
        )
        if cursor.rowcount:
            data = {"through": through.isoformat()}
            record(
                actor=actor,
                verb="period.closed",
                object=Reference("organisation", society.pk),
                organisation_id=society.pk,
                data=data,
            )
    return through
