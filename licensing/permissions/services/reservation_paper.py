"""The receipt of a reservation as PDF: worded here, laid out by `receipt.typ`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

import licensing.permissions
from accounts.identity.paper import pdf
from licensing.permissions import wording
from licensing.permissions.models import Reservation

TEMPLATE = Path(licensing.permissions.__file__).with_name("receipt.typ")


def receipt(reservation: Reservation, language: str, link: str) -> bytes:
    """The PDF in `ko` or `en`: the same bytes as long as nothing happens to the reservation."""
    assert reservation.received_at is not None  # before its receipt there is none
    with override(language):
        data = _data(reservation, language, link)
    return pdf(TEMPLATE, data, timezone.localdate(reservation.received_at))


def _data(reservation: Reservation, language: str, link: str) -> dict[str, Any]:
    return {
        "language": language,
        "title": _("Receipt of a reservation"),
        "lead": wording.covered(reservation),
        "society": str(reservation.society),
        "ref": reservation.ref,
        "notice": _notice(reservation),
        "received_label": _("Came in") if _begins_later(reservation) else _("Received, and counting since"),
        "received": exact(reservation.received_at),
        "parts": [
            {"title": _("What it covers"), "rows": _covers(reservation)},
            {"title": _("Who asked"), "rows": _claimant(reservation)},
        ],
        "next_title": _("What happens next"),
        "next": next_steps(reservation, link),
        "footer": f"{reservation.society} · {reservation.ref}",
        "closing": _(
            "A reservation counts from the moment it was received, never backwards: what was used lawfully before stays "
            "so. The public register shows what is reserved, never who asked."
        ),
    }


def exact(moment: dt.datetime | None) -> str:
    """To the second, with the distance from UTC, where the society lives."""
    return "" if moment is None else timezone.localtime(moment).isoformat(" ", "seconds").replace("+", " +")


def _notice(reservation: Reservation) -> str:
    if reservation.ended_at is None:
        return ""
    said = _("This reservation does not count any more. State: %(state)s, since %(moment)s.")
    return said % {"state": reservation.get_status_display(), "moment": exact(reservation.ended_at)}


def _covers(reservation: Reservation) -> list[list[str]]:
    rows = [
        [_("Reserved"), wording.covered(reservation)],
        [_("Kind"), wording.kind_said(reservation)],
    ]
    creators = reservation.work.creators if reservation.work else reservation.creators
    if creators:
        rows.append([_("Made by"), creators])
    if reservation.target == Reservation.Target.IDENTIFIER and reservation.scheme != "title":
        rows.append([_("Identifier"), wording.identifier_said(reservation.scheme, reservation.value)])
    rows.append([_("Uses"), wording.uses_said(reservation.uses)])
    rows.append([_("Where it counts"), wording.territory_said(reservation.territory)])
    if _begins_later(reservation):
        rows.append([_("Counts from"), exact(reservation.effective_from)])
    return rows


def _claimant(reservation: Reservation) -> list[list[str]]:
    rows = [
        [_("Name"), wording.claimant_said(reservation)],
        [_("E-mail"), reservation.claimant_email],
        [_("Relation to the work"), reservation.claimant_role],
    ]
    return [row for row in rows if row[1]] or [[_("Name"), "–"]]


def next_steps(reservation: Reservation, link: str) -> list[str]:
    """What happens next, sentence by sentence."""
    status, follow = Reservation.Status, _follow(reservation, link)
    if reservation.status == status.RECEIVED:
        due = reservation.due_on.isoformat() if reservation.due_on else ""
        return [
            _counts(reservation) or _("It counts already. AI firms that ask are told that these uses are reserved."),
            _("By %(day)s the society checks who asked. It may write to you.") % {"day": due},
            follow,
        ]
    if reservation.status == status.EFFECTIVE:
        counts = _("It counts. AI firms that ask are told that these uses are reserved.")
        return [_counts(reservation) or counts, follow]
    return [_("Nothing. You can reserve again at any time."), follow]


def _follow(reservation: Reservation, link: str) -> str:
    """Where it is followed. The secret that withdraws it is never printed: a receipt is shown to others."""
    if reservation.claimant_holder_id is None and reservation.key_sha256:
        said = _("Follow it here: %(link)s. To take it back, open the link in our e-mail.")
    else:
        said = _("Follow it, or take it back, here: %(link)s")
    return said % {"link": link}


def _begins_later(reservation: Reservation) -> bool:
    return reservation.effective_from != reservation.received_at


def _counts(reservation: Reservation) -> str:
    """From when it counts, where that is not its receipt."""
    said = _("It counts from %(moment)s.") % {"moment": exact(reservation.effective_from)}
    return said if _begins_later(reservation) else ""
