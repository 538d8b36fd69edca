"""The order of a batch as the CSV that a bank takes: which columns, under which headings, is the society's policy. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import IO, Final

from accounts.identity.core import Refusal, gettext_noop, say
from licensing.intake.core import safe_cell
from licensing.tariffs.currencies import major
from royalties.payouts.core.latin import latin, line
from royalties.payouts.core.order import Order, Transfer

# What a column may hold, with its default heading.
FIELDS: Final = {
    "number": gettext_noop("number"),
    "bank": gettext_noop("bank code"),
    "bic": gettext_noop("BIC"),
    "account": gettext_noop("account"),
    "name": gettext_noop("name"),
    "amount": gettext_noop("amount"),
    "currency": gettext_noop("currency"),
    "date": gettext_noop("date of execution"),
    "text": gettext_noop("text for the payee"),
    "id": gettext_noop("end-to-end id"),
    "on_behalf": gettext_noop("on behalf of"),
    "debtor": gettext_noop("account that pays"),
}
NEEDED: Final = ("account", "amount", "id")
DEFAULT: Final = tuple((field, field) for field in ("bank", "account", "amount", "name", "text", "id"))
MOST_COLUMNS: Final = 40


def columns(lines: str) -> tuple[tuple[str, str], ...]:
    """A column map as a person writes it: one `heading = field` a line, in the order of the bank's file. Raises Refusal.

    Without `= field` the heading is a field's own name. A field may come twice; account, amount and id must come.

    >>> columns("은행 = bank\\n계좌 = account\\namount\\nid")[1]
    ('계좌', 'account')
    """
    found = []
    for number, text in enumerate(filter(str.strip, lines.splitlines()), 1):
        heading, equals, name = (part.strip() for part in text.partition("="))
        chosen = name if equals else heading
        if chosen not in FIELDS or not heading:
            raise Refusal(
                "unknown_column",
                say("Line {line}: “{name}” is none of {known}.", line=number, name=chosen, known=", ".join(FIELDS)),
                pointer="/columns",
            )
        found.append((heading[:60], chosen))
    missing = [field for field in NEEDED if found and field not in {chosen for _heading, chosen in found}]
    if missing:
        raise Refusal(
            "column_missing",
            say("The bank’s file needs a column for {missing}.", missing=", ".join(missing)),
            pointer="/columns",
        )
    if len(found) > MOST_COLUMNS:
        raise Refusal(
            "too_many_columns", say("A bank’s file has {most} columns at most.", most=MOST_COLUMNS), pointer="/columns"
        )
    return tuple(found)


def as_lines(mapped: Iterable[Sequence[str]]) -> str:
    """A column map as a person writes it."""
    return "\n".join(f"{heading} = {field}" for heading, field in mapped)


def write(out: IO[bytes], order: Order, transfers: Iterable[Transfer], mapped: Sequence[Sequence[str]]) -> None:
    """Write the order with these columns (UTF-8 with BOM). Raises Refusal where the payments are not those of the order."""
    mapped = mapped or DEFAULT
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe_cell(heading) for heading, _field in mapped])
    seen = paid = 0
    for number, each in enumerate(transfers, 1):
        cells = _cells(order, number, each)
        writer.writerow([safe_cell(cells[field]) for _heading, field in mapped])
        seen, paid = seen + 1, paid + each.amount
    text.flush()
    text.detach()
    if (seen, paid) != (order.count, order.total):
        raise Refusal("order_does_not_add_up", say("The payments of the file are not those of the batch."))


def _cells(order: Order, number: int, each: Transfer) -> dict[str, str]:
    said = latin if order.ascii_only else line
    return {
        "number": str(number), "bank": each.to.bank, "bic": each.to.bic, "account": each.to.number, "name": said(each.to.name, 140),
        "amount": major(each.amount, order.currency), "currency": order.currency, "date": order.execute_on.isoformat(),
        "text": said(order.remittance, 140), "id": each.end_to_end_id, "on_behalf": said(each.on_behalf, 140),
        "debtor": order.payer.number,
    }  # fmt: skip
