"""What is done with declarations, from draft to accepted; one service behind API, pages and command."""

from licensing.declarations.services.deciding import accept, ask, submit
from licensing.declarations.services.drafting import amend, attach, discard, start
from licensing.declarations.services.duties import (
    find_duty,
    make_due,
    overdue_for_estimate,
    report_nil,
    settle_met,
    waive,
)
from licensing.declarations.services.filing import declare_file
from licensing.declarations.services.processing import process, stalled
from licensing.declarations.services.reminding import remind, tell_overdue

__all__ = [
    "accept",
    "amend",
    "ask",
    "attach",
    "declare_file",
    "discard",
    "find_duty",
    "make_due",
    "overdue_for_estimate",
    "process",
    "remind",
    "report_nil",
    "settle_met",
    "stalled",
    "start",
    "submit",
    "tell_overdue",
    "waive",
]
