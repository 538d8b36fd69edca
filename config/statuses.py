"""Each status in the house: its tone on a badge, and its name where no model gives one."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

# tone: quiet (rests), info (moves), good (done well), warn (someone must look), bad (stopped or refused)
STATUSES: dict[str, tuple[str, Any]] = {
    "waiting": ("info", _("waiting")),
    "running": ("info", _("running")),
    "done": ("good", _("done")),
    "draft": ("quiet", _("draft")),
    "received": ("info", _("received")),
    "effective": ("good", _("effective")),
    "withdrawn": ("quiet", _("withdrawn")),
    "unconfirmed": ("quiet", _("not confirmed yet")),
    "processing": ("info", _("processing")),
    "processed": ("warn", _("processed")),
    "submitted": ("warn", _("submitted")),
    "accepted": ("good", _("accepted")),
    "quoted": ("info", _("quoted")),
    "offered": ("warn", _("offered")),
    "signed": ("good", _("signed")),
    "lapsed": ("quiet", _("lapsed")),
    "superseded": ("quiet", _("superseded")),
    "delivered": ("good", _("delivered")),
    "on": ("good", _("on")),
    "off": ("bad", _("off")),
    "failed": ("bad", _("failed")),
    "planned": ("quiet", _("planned")),
    "prepared": ("warn", _("prepared")),
    "ordered": ("info", _("ordered")),
    "sent": ("info", _("sent")),
    "returned": ("bad", _("returned")),
    "proposed": ("warn", _("proposed")),
    "interim": ("warn", _("in force for the time being")),
    "amended": ("info", _("changed")),
    "replaced": ("quiet", _("replaced")),
    "withheld": ("bad", _("not published")),
    "determined": ("good", _("determined")),
    "active": ("good", _("active")),
    "in_force": ("good", _("in force")),
    "suspended": ("warn", _("suspended")),
    "terminated": ("quiet", _("terminated")),
    "expired": ("quiet", _("expired")),
    "revoked": ("bad", _("revoked")),
    "future": ("info", _("future")),
    "computed": ("warn", _("computed")),
    "approved": ("info", _("approved")),
    "posted": ("info", _("posted")),
    "published": ("good", _("published")),
    "reversed": ("bad", _("reversed")),
    "pending": ("warn", _("pending")),
    "requested": ("warn", _("requested")),
    "refused": ("bad", _("refused")),
    "declined": ("bad", _("declined")),
    "issued": ("info", _("issued")),
    "open": ("info", _("open")),
    "part_paid": ("warn", _("partly paid")),
    "paid": ("good", _("paid")),
    "cancelled": ("quiet", _("cancelled")),
    "written_off": ("quiet", _("written off")),
    "recouped": ("good", _("recouped")),
    "closed": ("quiet", _("closed")),
    "notified": ("info", _("notified")),
    "settled": ("good", _("settled")),
    "acknowledged": ("good", _("acknowledged")),
    "overdue": ("bad", _("overdue")),
    "licensed": ("good", _("licensed")),
    "reserved": ("bad", _("reserved")),
    "unmandated": ("warn", _("unmandated")),
    "unlicensed": ("bad", _("unlicensed")),
    "unmatched": ("warn", _("unmatched")),
    "rejected": ("bad", _("rejected")),
    "payable": ("good", _("payable")),
    "held": ("warn", _("held")),
    "suspense": ("warn", _("suspense")),
    "disputed": ("warn", _("disputed")),
}


def tone_of(status: str) -> str:
    return STATUSES.get(status, ("quiet", ""))[0]


def label_of(status: str) -> str:
    known = STATUSES.get(status)
    return str(known[1]) if known else status.replace("_", " ")
