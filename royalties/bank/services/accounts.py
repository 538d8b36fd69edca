"""The society's accounts at banks, and what the bank says stood on them day by day."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from stdnum import bic as bic_rules
from stdnum import iban as iban_rules
from stdnum.exceptions import ValidationError

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.currencies import MINOR_DIGITS
from royalties.bank.core import account_number
from royalties.bank.formats import table
from royalties.bank.models import BankAccount
from royalties.bank.services.guards import enter


@transaction.atomic
def open_account(
    *, actor: Actor, society: Organisation, name: str, bank: str, number: str, currency: str, bic: str = ""
) -> BankAccount:
    """Record an account of the society. What looks like an IBAN has to be one; a local number has 4 to 34 digits and letters."""
    enter(actor, society.pk)
    plain = account_number(number)
    if re.match(r"[A-Z]{2}[0-9]{2}", plain) and not iban_rules.is_valid(plain, check_country=False):
        raise Refusal("bad_iban", _("This is no valid IBAN: its check digits do not fit."), pointer="/number")
    if not re.fullmatch(r"[A-Z0-9]{4,34}", plain):
        raise Refusal("bad_number", _("An account number has 4 to 34 digits and letters."), pointer="/number")
    if currency not in MINOR_DIGITS:
        raise Refusal(
            "unknown_currency", _("“%(code)s” is no currency.") % {"code": currency[:10]}, pointer="/currency"
        )
    try:
        with transaction.atomic():
            made = BankAccount.objects.create(
                society=society, name=name.strip(), bank=bank.strip(), number=plain, currency=currency, bic=_bic(bic)
            )
    except IntegrityError as error:
        raise Conflict("account_exists", _("This account is recorded already."), pointer="/number") from error
    data = {"name": made.name, "currency": made.currency}
    about = Reference("bank_account", made.pk)
    record(actor=actor, verb="bank_account.recorded", object=about, organisation_id=society.pk, data=data)
    return made


def _bic(text: str) -> str:
    plain = text.strip().upper()
    try:
        return bic_rules.validate(plain) if plain else ""
    except ValidationError as error:
        raise Refusal("bad_bic", _("A BIC has 8 or 11 letters and digits."), pointer="/bic") from error


def save_columns(*, actor: Actor, account: BankAccount, columns: Mapping[str, str]) -> BankAccount:
    """Keep which heading of the bank's CSV serves for what; none at all means: by the usual headings."""
    account = own_account(actor, account.pk)
    chosen = {name: text.strip()[:100] for name, text in columns.items() if text.strip()}
    if chosen.keys() - table.COLUMNS.keys():
        raise Refusal("unknown_column", _("There is no such column."), pointer="/columns")
    if chosen and not table.complete(dict.fromkeys(chosen, 0)):
        raise Refusal(
            "columns_incomplete",
            _("Name the column with the day, and one with the amount or two with deposits and withdrawals."),
            pointer="/columns",
        )
    if chosen != account.columns:
        BankAccount.objects.filter(pk=account.pk).update(columns=chosen)
        about = Reference("bank_account", account.pk)
        record(
            actor=actor, verb="bank_account.mapped", object=about, organisation_id=account.society_id, data={"columns": sorted(chosen)}
        )  # fmt: skip
    account.columns = chosen
    return account


def own_account(actor: Actor, account_id: int) -> BankAccount:
    """An account of the actor's society to work with; NotFound for another's."""
    found = BankAccount.objects.visible_to(actor).filter(pk=account_id).select_related("society").first()
    if found is None:
        raise NotFound(_("There is no such bank account."))
    enter(actor, found.society_id)
    return found


@dataclass(frozen=True, slots=True)
class DayBalance:
    """What stood on an account at the end of a day, by the bank's own balances, and what moved that day."""

    day: datetime.date
    came_in: int
    went_out: int
    balance: int


_BY_DAY = """
    SELECT booked_on, came_in, went_out,
           opening + sum(came_in - went_out) OVER (PARTITION BY statement_id ORDER BY booked_on)
    FROM (SELECT e.statement_id, s.opening, e.booked_on,
                 coalesce(sum(e.amount) FILTER (WHERE e.sign = 1), 0) AS came_in,
                 coalesce(sum(e.amount) FILTER (WHERE e.sign = -1), 0) AS went_out
          FROM royalties_entry e JOIN royalties_bankstatement s ON s.id = e.statement_id
          WHERE e.account_id = %(account)s AND e.statement_id IN (
            SELECT id FROM royalties_bankstatement
            WHERE account_id = %(account)s AND last_day >= %(since)s AND first_day <= %(until)s)
          GROUP BY 1, 2, 3) moved
    ORDER BY booked_on DESC, statement_id DESC"""


def balances(account: BankAccount, since: datetime.date, until: datetime.date) -> list[DayBalance]:
    """The balance of an account at the end of each day on which something moved, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, {"account": account.pk, "since": since, "until": until})
        rows = cursor.fetchall()
    return [DayBalance(day, int(a), int(b), int(c)) for day, a, b, c in rows if since <= day <= until]


def balance_on(account: BankAccount, day: datetime.date) -> int | None:
    """What stood on the account at the end of a day: after the last entry on or before it; None before the first statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.opening + coalesce((SELECT sum(e.sign * e.amount) FROM royalties_entry e"
            " WHERE e.statement_id = s.id AND e.booked_on <= %s), 0)"
            " FROM royalties_bankstatement s WHERE s.account_id = %s AND s.first_day <= %s"
            " ORDER BY s.last_day DESC, s.place DESC LIMIT 1",
            [day, account.pk, day],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None
