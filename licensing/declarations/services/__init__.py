"""What is done with declarations, from draft to accepted; one service behind API, pages and command."""

from licensing.declarations.services.announcing import Announced, announce
from licensing.declarations.services.concluding import settle
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
from licensing.declarations.services.filing import Sent, declare_file, declare_files
from licensing.declarations.services.processing import process, stalled
from licensing.declarations.services.progress import progress_of
from licensing.declarations.services.quotas import Allowance, allowance, check_room, forget_quota, set_quota
from licensing.declarations.services.reading import read_file, stalled_files, to_read
from licensing.declarations.services.reminding import remind, tell_overdue
from licensing.declarations.services.stopping import cancel, resume
from licensing.declarations.services.uploads import (
    begin_upload,
    cancel_upload,
    finish_upload,
    receive_part,
    resume_uploads,
    sweep_uploads,
)

__all__ = [
    "Allowance",
    "Announced",
    "Sent",
    "accept",
    "allowance",
    "amend",
    "announce",
    "ask",
    "attach",
    "begin_upload",
    "cancel",
    "cancel_upload",
    "check_room",
    "declare_file",
    "declare_files",
    "discard",
    "find_duty",
    "finish_upload",
    "forget_quota",
    "make_due",
    "overdue_for_estimate",
    "process",
    "progress_of",
    "read_file",
    "receive_part",
    "remind",
    "report_nil",
    "resume",
    "resume_uploads",
    "set_quota",
    "settle",
    "settle_met",
    "stalled",
    "stalled_files",
    "start",
    "submit",
    "sweep_uploads",
    "tell_overdue",
    "to_read",
    "waive",
]
