"""What must always hold of closes and published reports, looked for in what is stored."""

from __future__ import annotations

from typing import Any

from royalties.reports import gathering
from royalties.reports.models import Close, TransparencyReport
from royalties.reports.services import closing, reporting


def problems() -> list[dict[str, Any]]:
    """A closed period still has the trial balance that was approved; a published report the figures that the book gives."""
    found = []
    for close in Close.objects.filter(status=Close.Status.CLOSED).order_by("id"):
        if closing.digest(close) != close.sha256:
            found.append(
                _problem("reports.close_digest", f"close {close.pk}", "does not have the digest that was approved")
            )
        if gathering.trial(close.society_id, close.through) != close.trial:
            found.append(
                _problem("reports.closed_period", f"close {close.pk}", "the book of a closed period is another one now")
            )
    published = TransparencyReport.objects.filter(status=TransparencyReport.Status.PUBLISHED).select_related("society")
    for report in published.order_by("id"):
        if reporting.digest(report) != report.sha256:
            found.append(
                _problem("reports.digest", f"report {report.pk}", "does not have the digest that was published")
            )
        if gathering.figures(report.society, (report.period.lower, report.period.upper)) != report.figures:
            found.append(_problem("reports.figures", f"report {report.pk}", "the book gives other figures now"))
    return found


def _problem(what: str, subject: str, detail: str) -> dict[str, Any]:
    return {"what": what, "subject": subject, "detail": detail}
