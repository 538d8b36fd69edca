"""What should be settled before a period is closed: each thing counted by one question, with where to settle it."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.organisations.models import Organisation

STOP, LOOK, FINE = "stop", "look", "fine"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing of the list. `stop`: the period cannot be closed while any is left; `look`: a person decides, and says why."""

    code: str
    state: str
    count: int
    amount: int = 0
    currency: str = ""

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Question:
    """SQL that gives (count, amount, currency) a currency; what is left stops the close, or is only to be looked at."""

    code: str
    label: Any
    stops: bool
    sql: str
    route: str = ""


QUESTIONS: Final = (
    Question(
        "ledger", gettext_lazy("Invariants of the book that do not hold"), True,
        "SELECT count(*), 0, '' FROM ledger_discrepancy WHERE society_id = %(society)s", "royalties:ledger_trial",
    ),
    Question(
        "runs", gettext_lazy("Distributions approved and not posted"), True,
        "SELECT count(*), coalesce(sum(pool), 0), currency FROM royalties_run "
        "WHERE society_id = %(society)s AND status = 'approved' GROUP BY currency", "royalties:runs",
    ),
    Question(
        "under_way", gettext_lazy("Distributions begun and not approved"), False,
        "SELECT count(*), coalesce(sum(pool), 0), currency FROM royalties_run "
        "WHERE society_id = %(society)s AND status IN ('draft', 'computed') GROUP BY currency", "royalties:runs",
    ),
    Question(
        "overdue", gettext_lazy("Invoices due by that day and not paid"), False,
        "SELECT count(*), coalesce(sum(gross - received - carried - credited - written_off), 0), currency FROM royalties_invoice "
        "WHERE society_id = %(society)s AND kind <> 'credit' AND due_on <= %(through)s "
        "AND gross - received - carried - credited - written_off > 0 GROUP BY currency", "royalties:invoices",
    ),
    Question(
        "not_distributed", gettext_lazy("Receipts of more than nine months ago that no run has distributed"), False,
        "SELECT count(*), coalesce(sum(x.net), 0), i.currency FROM royalties_receipt x "
        "JOIN royalties_invoice i ON i.id = x.invoice_id "
        "WHERE x.society_id = %(society)s AND x.net > 0 AND x.received_on < (%(through)s::date - interval '9 months') "
        "AND NOT EXISTS (SELECT FROM royalties_runreceipt t WHERE t.receipt_id = x.id AND t.active) GROUP BY i.currency",
        "royalties:start_run",
    ),
    Question(
        "entries", gettext_lazy("Bank entries up to that day that are not applied"), False,
        "SELECT count(*), coalesce(sum(amount - applied), 0), currency FROM royalties_entry "
        "WHERE society_id = %(society)s AND status <> 'applied' AND booked_on <= %(through)s GROUP BY currency",
        "royalties:reconciliation",
    ),
    Question(
        "ordering", gettext_lazy("Payouts approved and not ordered"), True,
        "SELECT count(*), coalesce(sum(net), 0), currency FROM royalties_batch "
        "WHERE society_id = %(society)s AND status = 'approved' GROUP BY currency", "royalties:payouts",
    ),
    Question(
        "paying", gettext_lazy("Payouts ordered by that day that the bank has not answered"), False,
        "SELECT count(*), coalesce(sum(net), 0), currency FROM royalties_batch "
        "WHERE society_id = %(society)s AND status IN ('ordered', 'sent') AND execute_on <= %(through)s GROUP BY currency",
        "royalties:payouts",
    ),
    Question(
        "approvals", gettext_lazy("Decisions about money that wait for a second person"), False,
        "SELECT count(*), 0, '' FROM accounts_approval WHERE organisation_id = %(society)s AND status = 'pending' "
        "AND kind <> 'period_close'", "accounts:approvals",
    ),
)  # fmt: skip


def looked_at(society: Organisation, through: datetime.date) -> list[Check]:
    """The list as it stands, in a fixed order; a thing of several currencies has a line each."""
    found: list[Check] = []
    with connection.cursor() as cursor:
        for question in QUESTIONS:
            cursor.execute(question.sql, {"society": society.pk, "through": through})
            rows = [row for row in cursor.fetchall() if row[0]]
            for count, amount, currency in sorted(rows, key=lambda row: row[2]):
                state = STOP if question.stops else LOOK
                found.append(Check(question.code, state, count, int(amount), currency))
            if not rows:
                found.append(Check(question.code, FINE, 0))
    return found


def label(code: str) -> str:
    """What a check looks for, in the reader's language."""
    return next((str(each.label) for each in QUESTIONS if each.code == code), code)


def route(code: str) -> str:
    return next((each.route for each in QUESTIONS if each.code == code), "")


def said(check: dict[str, Any]) -> str:
    return {STOP: _("must be settled first"), LOOK: _("to look at"), FINE: _("nothing left")}[check["state"]]
