"""What reports change: the close of a period, and the publication of a year's report."""

from royalties.reports.services.checks import problems
from royalties.reports.services.closing import approve_close, pending_close, request_close, withdraw_close
from royalties.reports.services.reporting import draft_report, publish_report, say_notes

__all__ = [
    "approve_close",
    "draft_report",
    "pending_close",
    "problems",
    "publish_report",
    "request_close",
    "say_notes",
    "withdraw_close",
]
