"""A transparency report worded once, for the page and as a file: PDF, spreadsheet, CSV, JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from django.utils.translation import gettext as _

import royalties.reports
from accounts.identity.paper import pdf
from licensing.intake.core import SafeWriter
from licensing.labels import label
from royalties.reports import core
from royalties.reports.labels import figure_label, note_label
from royalties.reports.models import TransparencyReport
from royalties.statements.wording import day, money, period

TEMPLATE: Final = Path(royalties.reports.__file__).with_name("report.typ")
COLUMNS: Final = ("currency", "item", "code", "label", "name", "amount")


def words(report: TransparencyReport) -> dict[str, Any]:
    """The report in the reader's language: sections a currency, each figure with its place in the annex, and what was said."""
    return {
        "sections": [_section(currency, of) for currency, of in sorted(report.figures.items())],
        "notes": [{"code": code, "label": note_label(code), "text": report.notes.get(code, "")} for code in core.NOTES],
    }


def _section(currency: str, of: dict[str, Any]) -> dict[str, Any]:
    figures = [
        each | {"label": figure_label(each["code"]), "item": core.BY_CODE[each["code"]].item}
        for each in of["figures"]
        if each["code"] in core.BY_CODE
    ]
    return {
        "currency": currency,
        "year": [each for each in figures if core.BY_CODE[each["code"]].over == core.YEAR],
        "end": [each for each in figures if core.BY_CODE[each["code"]].over == core.EVER],
        "by_use": [each | {"label": label(each["use"]) if each["use"] else _("no use known")} for each in of["by_use"]],
        "waiting": sorted(of["not_attributed_by_year"].items()),
    }


def content(report: TransparencyReport, form: str, language: str) -> bytes:
    """The report as one file's bytes, in the language that is active; the same bytes whenever it is made."""
    if form == "pdf":
        return _pdf(report, language)
    if form == "xlsx":
        return _xlsx(report)
    if form == "json":
        return json.dumps(as_data(report), ensure_ascii=False, indent=1).encode()
    out = io.StringIO(newline="")
    writer = SafeWriter(out)
    writer.row(COLUMNS)
    writer.rows(rows(report))
    return out.getvalue().encode("utf-8-sig")


def as_data(report: TransparencyReport) -> dict[str, Any]:
    """The report as JSON values: amounts in minor units of the currency under which they stand."""
    return {
        "society": report.society.ref, "from": report.period.lower.isoformat(), "to": report.period.upper.isoformat(),
        "status": report.status, "sha256": report.sha256, "figures": report.figures, "notes": report.notes,
    }  # fmt: skip


def rows(report: TransparencyReport) -> Iterator[tuple[Any, ...]]:
    """One row a figure and a row a name of it; then by use, and what waits by year of collection. Amounts in minor units."""
    for section in words(report)["sections"]:
        currency = section["currency"]
        for each in (*section["year"], *section["end"]):
            yield (currency, each["item"], each["code"], each["label"], "", each["amount"])
            for name, amount in each["lines"]:
                yield (currency, each["item"], each["code"], each["label"], name, amount)
        for each in section["by_use"]:
            for code, named in (
                ("collected", _("Collected")),
                ("distributed", _("Distributed")),
                ("deducted", _("Deducted")),
            ):
                yield (currency, "2(a)", f"{code}_by_use", f"{_('By use')}: {named}", each["label"], each[code])
        for year, amount in section["waiting"]:
            yield (currency, "2(c)(iv)", "not_attributed_by_year", figure_label("not_attributed"), year, amount)


def _xlsx(report: TransparencyReport) -> bytes:
    """A workbook: the figures, then the texts. Text cells never become formulas; whole numbers stay whole."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties(
        {"title": str(report), "author": str(report.society), "created": report.made_at.replace(tzinfo=None)}
    )
    bold, amount = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0"})
    sheet = book.add_worksheet(_("Figures")[:31])
    sheet.write_row(0, 0, COLUMNS, bold)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 2, 12)
    sheet.set_column(3, 4, 44)
    sheet.set_column(5, 5, 20, amount)
    for place, row in enumerate(rows(report), 1):
        for column, value in enumerate(row[:-1]):
            sheet.write_string(place, column, str(value))
        sheet.write_number(place, len(row) - 1, row[-1], amount)
    texts = book.add_worksheet(_("Texts")[:31])
    texts.set_column(0, 0, 44)
    texts.set_column(1, 1, 100)
    for place, note in enumerate(words(report)["notes"]):
        texts.write_string(place, 0, note["label"], bold)
        texts.write_string(place, 1, note["text"])
    book.close()
    return out.getvalue()


def _pdf(report: TransparencyReport, language: str) -> bytes:
    told = words(report)
    data = {
        "title": _("Transparency report"), "language": language, "society": str(report.society),
        "period": period((report.period.lower, report.period.upper)),
        "state": _("Published on %(day)s") % {"day": day(report.published_at.date())} if report.published_at else _("Draft"),
        "digest": f"SHA-256 {report.sha256}" if report.sha256 else "",
        "sections": [_on_paper(section) for section in told["sections"]],
        "notes": [[note["label"], note["text"]] for note in told["notes"] if note["text"]],
        "empty": _("The book has no figure for this year."),
    }  # fmt: skip
    return pdf(TEMPLATE, data, (report.published_at or report.made_at).date())


def _on_paper(section: dict[str, Any]) -> dict[str, Any]:
    currency = section["currency"]

    def table(figures: list[dict[str, Any]]) -> list[list[str]]:
        found = []
        for each in figures:
            found.append([each["item"], each["label"], money(each["amount"], currency)])
            found += [["", f"    {name}", money(amount, currency)] for name, amount in each["lines"]]
        return found

    return {
        "title": currency,
        "parts": [
            {"title": _("What happened in the year"), "head": [_("Annex"), _("Figure"), _("Amount")], "body": table(section["year"])},
            {"title": _("What stands at its end"), "head": [_("Annex"), _("Figure"), _("Amount")], "body": table(section["end"])},
            {
                "title": _("By use"), "head": [_("Use"), _("Collected"), _("Distributed"), _("Deducted")],
                "body": [
                    [each["label"], *(money(each[code], currency) for code in ("collected", "distributed", "deducted"))]
                    for each in section["by_use"]
                ],
            },
            {
                "title": _("Collected, not yet attributed, by year of collection"), "head": [_("Year"), _("Amount")],
                "body": [[year, money(amount, currency)] for year, amount in section["waiting"]],
            },
        ],
    }  # fmt: skip
