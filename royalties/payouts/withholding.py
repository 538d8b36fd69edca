"""What was withheld in a year: for each payee as a certificate, for the tax authority as a file.

Counted are payments that the bank carried out (`settled`), in the year of their payment day, by the tax status and residence of
the holder whose money it is: a part that went to a creditor is taxed as the holder's. Grouped in the database, never a
payment at a time.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.numbers import format_currency, get_currency_precision
from django.db import connection
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.identity.core import NotFound
from accounts.identity.paper import pdf
from accounts.organisations.models import Organisation
from licensing.intake.core import safe_cell
from licensing.repertoire.models import Holder

FIRST_YEAR, LAST_YEAR = 2000, 2999
LOCAL: Final = "local income tax"  # the second tax of Korean rules
# What the Korean payment statement (지급명세서) is called by the payee's tax status; who is not withheld from is in none.
STATEMENTS: Final = {
    "kr_business": "business_income",
    "kr_other": "other_income",
    "non_resident": "non_resident_income",
}
KR_COLUMNS: Final = (
    "year", "statement", "payer_ref", "payer_name", "payee_ref", "payee_name", "residence", "registration_number", "payments",
    "currency", "gross", "not_taxed", "deemed_expense", "income", "rate_percent", "income_tax", "local_income_tax", "withheld", "net",
)  # fmt: skip
US_COLUMNS: Final = (
    "year", "form", "withholding_agent", "recipient_ref", "recipient_name", "recipient_country", "recipient_tin", "income_code",
    "currency", "gross_income", "chapter_3_exemption_code", "tax_rate_percent", "federal_tax_withheld", "net",
)  # fmt: skip
_ROYALTIES = "12"  # of Form 1042-S: other royalties (for example copyright)
_GENERAL = Fraction(30, 100)
_RATE = 7  # where the rate stands in a row

_ROWS = """
    SELECT paid.holder_id, h.ref, h.name, h.name_ko, paid.tax_status, paid.residence, paid.currency, paid.first ->> 'rate',
      count(*), sum(paid.gross)::bigint, coalesce(sum(paid.gross) FILTER (WHERE paid.first IS NULL), 0)::bigint,
      coalesce(sum((paid.first ->> 'base')::bigint), 0)::bigint, coalesce(sum((paid.first ->> 'amount')::bigint), 0)::bigint,
      coalesce(sum((paid.second ->> 'amount')::bigint), 0)::bigint, sum(paid.withheld)::bigint, sum(paid.net)::bigint,
      coalesce(min(paid.first ->> 'name'), '')
    FROM (
      SELECT p.holder_id, p.currency, p.gross, p.withheld, p.net, p.taxes -> 0 AS first, p.taxes -> 1 AS second,
        coalesce(own.tax_status, '') AS tax_status, coalesce(own.residence, '') AS residence
      FROM royalties_batch b
      JOIN royalties_payment p ON p.batch_id = b.id
      LEFT JOIN LATERAL (
        SELECT d.tax_status, d.residence FROM royalties_payee y JOIN royalties_payeedetails d ON d.payee_id = y.id
        WHERE y.holder_id = p.holder_id AND d.usable_from IS NOT NULL
        ORDER BY d.id = p.details_id DESC, d.usable_from <= coalesce(b.prepared_at, b.created_at) DESC, d.version DESC LIMIT 1) own ON true
      WHERE b.society_id = %(society)s AND p.status = 'settled' AND p.execute_on >= %(start)s AND p.execute_on < %(end)s
        AND (%(holders)s::bigint[] IS NULL OR p.holder_id = ANY(%(holders)s))) paid
    JOIN licensing_holder h ON h.id = paid.holder_id
    GROUP BY paid.holder_id, h.ref, h.name, h.name_ko, paid.tax_status, paid.residence, paid.currency, paid.first ->> 'rate'
    ORDER BY h.ref, paid.currency, paid.tax_status, paid.residence, paid.first ->> 'rate' NULLS FIRST"""
_YEARS = """
    SELECT DISTINCT extract(year FROM p.execute_on)::int, b.society_id, p.holder_id
    FROM royalties_payment p JOIN royalties_batch b ON b.id = p.batch_id
    WHERE p.holder_id = ANY(%s) AND p.status = 'settled' ORDER BY 1 DESC, 3"""
_OPEN = """
    SELECT count(*) FROM royalties_batch b JOIN royalties_payment p ON p.batch_id = b.id
    WHERE b.society_id = %(society)s AND p.status IN ('ordered', 'sent') AND p.execute_on >= %(start)s AND p.execute_on < %(end)s"""


@dataclass(frozen=True, slots=True)
class Row:
    """One holder's payments of a year that were taxed alike. Amounts in minor units; gross = withheld + net.

    `income` is what the first tax was reckoned on, `not_taxed` the gross of payments from which nothing was withheld.
    """

    holder_id: int
    ref: str
    name: str
    name_ko: str
    tax_status: str
    residence: str
    currency: str
    rate: Fraction | None
    payments: int
    gross: int
    not_taxed: int
    income: int
    first: int
    second: int
    withheld: int
    net: int
    tax: str = ""

    @property
    def expense(self) -> int:
        """What counted as spent of the payments that were taxed."""
        return self.gross - self.not_taxed - self.income

    @property
    def shown_name(self) -> str:
        return self.name_ko if self.name_ko and get_language() == "ko" else self.name

    @property
    def rate_percent(self) -> str:
        return "" if self.rate is None else percent(self.rate)


def percent(rate: Fraction) -> str:
    """A part as percent, half up to four decimals.

    >>> percent(Fraction(1, 11)), percent(Fraction(3, 100))
    ('9.0909', '3')
    """
    whole, part = divmod(int(rate * 1_000_000 + Fraction(1, 2)), 10_000)
    return f"{whole}.{part:04}".rstrip("0").rstrip(".")


def year_rows(society_id: int, year: int, holder_ids: Sequence[int] | None = None) -> Iterator[Row]:
    """Each holder's year, by ref; of these holders, or of all."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, _of(society_id, year) | {"holders": None if holder_ids is None else list(holder_ids)})
        while rows := cursor.fetchmany(5_000):
            for row in rows:
                cells: list[Any] = [
                    Fraction(cell) if place == _RATE and cell else cell for place, cell in enumerate(row)
                ]
                yield Row(*cells)


def still_open(society_id: int, year: int) -> int:
    """Payments of the year that the bank has not answered yet: they are in no report until it does."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, _of(society_id, year))
        return int(cursor.fetchone()[0])


def years_of(holder_ids: Iterable[int]) -> list[tuple[int, int, int]]:
    """(year, society, holder) of everything that was paid to these holders, the latest year first."""
    with connection.cursor() as cursor:
        cursor.execute(_YEARS, [list(holder_ids)])
        return [tuple(row) for row in cursor.fetchall()]


def totals(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """What a year comes to by tax status and currency."""
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        found = sums.setdefault(
            (row.tax_status, row.currency),
            {"tax_status": row.tax_status, "currency": row.currency, "holders": set(), "payments": 0, "gross": 0, "withheld": 0, "net": 0},
        )  # fmt: skip
        found["holders"].add(row.holder_id)
        for name in ("payments", "gross", "withheld", "net"):
            found[name] += getattr(row, name)
    return [found | {"holders": len(found["holders"])} for _key, found in sorted(sums.items())]


def authority_file(society: Organisation, year: int) -> Iterator[str]:
    """The year for the tax authority as CSV, line by line: the columns are told in docs/payees.md.

    Amounts are whole minor units. Numbers by which the authority knows people are not kept here: their column is empty.
    """
    american = society.country == "US"
    yield "\ufeff" + _line(US_COLUMNS if american else KR_COLUMNS)
    for row in year_rows(society.pk, year):
        cells = _us_cells(society, year, row) if american else _kr_cells(society, year, row)
        if cells is not None:
            yield _line(cells)


def _kr_cells(society: Organisation, year: int, row: Row) -> tuple[Any, ...] | None:
    """지급명세서: residents' business and other income, and what non-residents had from Korea."""
    statement = STATEMENTS.get(row.tax_status)
    if statement is None:
        return None
    return (
        year, statement, society.ref, society.name_ko or society.name, row.ref, row.name_ko or row.name, row.residence, "",
        row.payments, row.currency, row.gross, row.not_taxed, row.expense, row.income, row.rate_percent, row.first, row.second,
        row.withheld, row.net,
    )  # fmt: skip


def _us_cells(society: Organisation, year: int, row: Row) -> tuple[Any, ...] | None:
    """Form 1042-S for foreign persons (income code 12; exemption code 04 where a treaty lowered the rate), else 1099-MISC."""
    if row.tax_status == "exempt":
        return None
    foreign = row.tax == "US tax on foreign persons" or (row.residence != "US" and not row.tax)
    treaty = foreign and (row.rate is None or row.rate < _GENERAL)
    code = ("04" if treaty else "00") if foreign else ""
    return (
        year, "1042-S" if foreign else "1099-MISC", society.name, row.ref, row.name, row.residence, "", _ROYALTIES if foreign else "",
        row.currency, row.gross, code, row.rate_percent or "0", row.first, row.net,
    )  # fmt: skip


def payee_file(society: Organisation, year: int, rows: Iterable[Row]) -> str:
    """One payee's year as CSV."""
    head = (
        "year", "society", "payee_ref", "currency", "payments", "gross", "not_taxed", "income", "rate_percent", "tax", "local_tax",
        "withheld", "net",
    )  # fmt: skip
    return "\ufeff" + "".join(map(_line, [head, *(_payee_cells(society, year, row) for row in rows)]))


def _payee_cells(society: Organisation, year: int, row: Row) -> tuple[Any, ...]:
    return (
        year, society.ref, row.ref, row.currency, row.payments, row.gross, row.not_taxed, row.income, row.rate_percent, row.first,
        row.second, row.withheld, row.net,
    )  # fmt: skip


def certificate(
    *, society: Organisation, holder: Holder, year: int, rows: Sequence[Row], statuses: dict[str, Any]
) -> bytes:
    """One payee's year as PDF, in the reader's language."""
    body = [
        [
            str(statuses.get(row.tax_status, row.tax_status)), str(row.payments), _money(row.gross, row.currency),
            f"{row.rate_percent} %" if row.rate is not None else "–", _money(row.first, row.currency),
            _money(row.second, row.currency), _money(row.net, row.currency),
        ]
        for row in rows
    ]  # fmt: skip
    data = {
        "language": get_language() or "en",
        "title": _("Tax withheld in %(year)s") % {"year": year},
        "society": str(society),
        "holder": f"{holder} ({holder.ref})",
        "lead": _("Payments that the bank carried out in this year, and what was withheld of them for the tax office."),
        "head": [_("Kind"), _("Payments"), _("Gross"), _("Rate"), _("Tax"), _("Local tax"), _("Paid out")],
        "body": body,
        "footer": _("%(society)s, withholding agent. Not a receipt of the tax office.") % {"society": society},
    }
    return pdf(Path(__file__).with_name("withholding.typ"), data, datetime.date(year, 12, 31))


def _money(amount: int, currency: str) -> str:
    locale = Locale.parse(get_language() or "en", sep="-")
    return format_currency(Decimal(amount).scaleb(-get_currency_precision(currency)), currency, locale=locale)


def checked_year(year: int) -> int:
    """A year that can be asked for; NotFound for any other."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound(_("There is no report for that year."))
    return year


def _of(society_id: int, year: int) -> dict[str, Any]:
    return {"society": society_id, "start": datetime.date(year, 1, 1), "end": datetime.date(year + 1, 1, 1)}


def _line(cells: Sequence[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()
