"""A statement as PDF: worded here, laid out by `statement.typ`, the same bytes whenever and wherever it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

import royalties.statements
from accounts.identity.paper import pdf
from royalties.statements.core import Head, Line, Statement, chosen
from royalties.statements.wording import (
    came_from,
    corrections,
    day,
    money,
    number,
    period,
    reason_name,
    revisions,
    share,
    unit_name,
    use_name,
    why_line,
    why_pool,
)

TEMPLATE = Path(royalties.statements.__file__).with_name("statement.typ")
LINES_ON_PAPER = 200  # works; the CSV has all


def render_pdf(statement: Statement, language: str) -> bytes:
    """The PDF in `ko` or `en`. A statement of very many works shows the largest on paper and names the CSV for the rest."""
    with override(language):
        return pdf(TEMPLATE, _data(statement, language), statement.head.published_on)


def _data(statement: Statement, language: str) -> dict[str, Any]:
    head, currency = statement.head, statement.head.currency
    lines = chosen(statement.lines, LINES_ON_PAPER)
    return {
        "language": language,
        "title": _("Royalty statement"),
        "society": head.society_name,
        "number": head.number,
        "holder": f"{head.holder_name} ({head.holder})",
        "lead": _("Uses of works by AI, %(period)s") % {"period": period(head.period)},
        "published": day(head.published_on),
        "notice": "\n".join(_notices(head)),
        "summary": [
            [_("Payable to you"), money(head.payable, currency)],
            [_("Held"), money(head.held, currency)],
            [_("Works used"), number(head.works)],
        ],
        "parts": [
            part
            for part in (_works(statement, lines), _uses(statement), _pools(statement), _waiting(statement))
            if part
        ],
        "why_title": _("Why these amounts"),
        "why": _why(lines, currency),
        "footer": f"{head.society_name} · {head.number} · {head.holder_name}",
        "closing": _(
            "Digest of the amounts listed: %(digest)s. Every amount is exact to the smallest unit of the currency."
        )
        % {"digest": head.digest},
    }


def _notices(head: Head) -> list[str]:
    """What stands above all figures: that they no longer hold, or what they correct."""
    reversed_ = [_("This distribution was reversed. A later statement takes its place.")] if head.reversed else []
    return [
        *reversed_,
        *corrections(head.replaces, head.payable, head.currency),
        *revisions(head.revises, head.currency),
    ]


def _part(
    title: str, columns: str, head: list[str], body: list[list[str]], *, note: str = "", foot: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A table. `columns` has a letter each: l grows and stands left, r is as wide as it must and stands right."""
    return {
        "title": title, "note": note, "columns": ["1fr" if c == "l" else "auto" for c in columns], "align": list(columns), "head": head,
        "body": body, "foot": list(foot),
    }  # fmt: skip


def _works(statement: Statement, lines: tuple[Line, ...]) -> dict[str, Any] | None:
    if not lines:
        return None
    currency = statement.head.currency
    body = [
        [
            line.title,
            line.pool.licensee_name,
            share(line.ppm),
            money(line.work_amount, currency),
            money(line.amount, currency),
        ]
        for line in lines
    ]
    more = len(statement.lines) - len(lines)
    note = (
        _("The %(n)s largest; %(more)s more stand in the CSV and on the page.")
        % {"n": number(len(lines)), "more": number(more)}
        if more
        else ""
    )
    foot = ("", "", "", _("Total"), money(sum(line.amount for line in statement.lines), currency))
    return _part(
        _("By work"),
        "llrrr",
        [_("Work"), _("Licensee"), _("Share"), _("Work's amount"), _("Your amount")],
        body,
        note=note,
        foot=foot,
    )


def _uses(statement: Statement) -> dict[str, Any] | None:
    currency = statement.head.currency
    sums = statement.uses()
    body = [
        [
            use.licensee_name,
            use_name(use.use),
            f"{number(use.units)} {unit_name(use.unit)}",
            money(use.amount, currency),
        ]
        for use in sums
    ]
    foot = ("", "", _("Total"), money(sum(use.amount for use in sums), currency))
    head = [_("Licensee"), _("Use"), _("Units of your works"), _("Your amount")]
    return _part(_("By licensee and use"), "llrr", head, body, foot=foot) if body else None


def _pools(statement: Statement) -> dict[str, Any] | None:
    currency = statement.head.currency
    body = []
    for view in statement.pools():
        pool = view.pool
        whence = f"{pool.licensee_name}: {came_from(pool)}" if pool.origin else pool.licensee_name
        body.append([pool.invoice, whence, "", money(pool.amount, currency), ""])
        for deduction, part in view.parts:
            body.append(
                [
                    "",
                    deduction.name,
                    f"{deduction.percent}%",
                    f"− {money(deduction.amount, currency)}",
                    f"({money(part, currency)})",
                ]
            )
        if pool.reserve:
            body.append(
                ["", _("Reserve"), "", f"− {money(pool.reserve, currency)}", f"({money(view.reserve_part, currency)})"]
            )
        body.append(["", _("Distributable"), "", money(pool.distributable, currency), money(view.amount, currency)])
    head = [_("Invoice"), _("Licensee, deduction"), _("Percent"), _("Whole pool"), _("Your part")]
    note = _("Deductions are taken from the whole pool; your proportion of each is shown in brackets.")
    return _part(_("Deductions"), "llrrr", head, body, note=note) if body else None


def _waiting(statement: Statement) -> dict[str, Any] | None:
    currency = statement.head.currency
    waiting = [*statement.held(), *statement.others]
    body = [
        [line.title, reason_name(line), share(line.ppm) if line.ppm else "", money(line.amount, currency)]
        for line in chosen(waiting, LINES_ON_PAPER)
    ]
    note = _("Money of your works that waits: it is paid as soon as the reason is settled.")
    return (
        _part(_("Held and in suspense"), "llrr", [_("Work"), _("Reason"), _("Part"), _("Amount")], body, note=note)
        if body
        else None
    )


def _why(lines: tuple[Line, ...], currency: str) -> list[dict[str, Any]]:
    """Pool by pool: how it came to what was divided, then each line's own steps."""
    found: dict[int, dict[str, Any]] = {}
    for line in lines:
        pool = line.pool
        if pool.id not in found:
            steps = [[step.label, step.detail, step.value] for step in why_pool(pool, currency)]
            found[pool.id] = {"title": f"{pool.licensee_name}, {pool.invoice}", "steps": steps, "lines": []}
        own = [f"{step.label} {step.value}: {step.detail}" for step in why_line(line, currency)]
        found[pool.id]["lines"].append([f"{line.title}\n{line.work_ref}", "\n".join(own), money(line.amount, currency)])
    return list(found.values())
