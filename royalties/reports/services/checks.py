"""What must always hold of closes and published reports, looked for in what is stored."""

from __future__ import annotations

from typing import Any

from accounts.organisations.models import Organisation
from royalties.bank.models import BankAccount
from royalties.reports import gathering
from royalties.reports.models import Close, TransparencyReport
from royalties.reports.reconciling import reconciliations
from royalties.reports.services import closing, reporting


def problems() -> list[dict[str, Any]]:
    """Broken invariants: what the bank's entries explain against what the book moved for them; the trial balance of a closed
    period against the approved one; a published report against the figures that the book gives.
    """
    found = []
    for society in Organisation.objects.filter(pk__in=BankAccount.objects.values("society_id")).order_by("id"):
        for each in reconciliations(society.pk):
            if each.fault:
                detail = (
                    f"applied entries come to {each.explained}, their journals to {each.explaining} {each.currency}"
                )
                found.append(_problem("reports.reconciliation", f"society {society.ref}", detail))
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
