"""What PostgreSQL refuses, said to people: each named refusal of `ledger.sql` with what to do about it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Conflict, Refusal
from royalties.ledger.core import FIRST_DAY, LAST_DAY

_SAID = {
    "ledger_account_stays_above_its_floor": (
        "overdrawn",
        _("An account would be overdrawn: it holds less than is to be taken from it."),
    ),
    "ledger_period_is_open": ("period_closed", _("That day lies in a closed period. Use a day after it.")),
    "ledger_period_stays_closed": ("period_closed", _("A closed period is not opened again.")),
    "ledger_journal_is_reversed_once": ("already_reversed", _("This journal was reversed already.")),
    "ledger_reversal_is_final": ("reversal_is_final", _("A reversal is not reversed: post the event again.")),
    "ledger_reversal_mirrors_its_original": (
        "reversal_too_early",
        _("A reversal is dated on the day of its original or later."),
    ),
    "ledger_posting_fits_its_accounts": (
        "wrong_account",
        _("An account is closed, of another society, or in another currency."),
    ),
}


def check_day(day: datetime.date) -> None:
    """Raise Refusal for a day that no book has."""
    if not FIRST_DAY <= day <= LAST_DAY:
        said = _("A day of the ledger lies between %(first)s and %(last)s.") % {"first": FIRST_DAY, "last": LAST_DAY}
        raise Refusal("day_out_of_range", str(said), pointer="/on")


@contextmanager
def refusals() -> Iterator[None]:
    """A savepoint whose refusal by the ledger is raised as a Refusal; what was done before it stands."""
    try:
        with transaction.atomic():
            yield
    except DataError as error:
        raise Refusal("amount_out_of_range", str(_("An amount is too large for the ledger."))) from error
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        if name.startswith("ledger_"):
            code, detail = _SAID.get(name, (name, _first_line(error)))
            raise Conflict(code, str(detail)) from error
        raise


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["refused"])[0]
