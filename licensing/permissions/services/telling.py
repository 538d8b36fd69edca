"""Tell what became of a reservation: its claimant by a notice or a letter, programs of licensees by an event."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from accounts.identity.core import Actor
from accounts.notices.models import Webhook
from accounts.notices.services import notify, send_letter
from accounts.notices.services.publishing import leave
from licensing.licences.models import Licence
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Representation

_SUBJECTS: Final = {
    "received": gettext_noop("We have received your reservation %(ref)s"),
    "effective": gettext_noop("Your reservation %(ref)s is in force"),
    "accepted": gettext_noop("Your reservation %(ref)s is in force"),
    "rejected": gettext_noop("Your reservation %(ref)s was rejected"),
    "withdrawn": gettext_noop("Your reservation %(ref)s is withdrawn"),
    "superseded": gettext_noop("Your reservation %(ref)s was replaced by a newer one"),
}
_BODIES: Final = {
    "received": gettext_noop(
        "It counts from %(moment)s. By %(due)s we check that it comes from the holder of the rights; it counts "
        "meanwhile, too."
    ),
    "effective": gettext_noop("It counts from %(moment)s."),
    "accepted": gettext_noop("We have checked it. It counts from %(moment)s, when we received it."),
    "rejected": gettext_noop("It no longer counts from now on, for this reason: %(reasons)s"),
    "withdrawn": gettext_noop("It no longer counts from now on. What was used before stays as it was."),
    "superseded": gettext_noop("What it said counted until then."),
}
_MOST_EXCEPTIONS: Final = 16_000  # bytes of exceptions in one event, which is bounded
_EVENTS: Final = {
    "received": "reservation.effective",
    "effective": "reservation.effective",
    "rejected": "reservation.withdrawn",
    "withdrawn": "reservation.withdrawn",
    "superseded": "reservation.withdrawn",
}


def tell(reservation: Reservation, verb: str, *, actor: Actor, key: str = "") -> None:
    """Tell the claimant what happened, once the caller's transaction is committed; not who did it themself as a member.

    Programs of the society and of its licensees hear when it begins to count, and when it ends.
    """
    if event := _EVENTS.get(verb):
        _publish(reservation, event)
    holder = reservation.claimant_holder
    if holder is not None:
        people = Representation.objects.filter(holder=holder).exclude(user_id=actor.user_id or 0)
        by_language: dict[str, list[int]] = {}
        for user, language in people.exclude(scope=Representation.Scope.FINANCE).values_list("user", "user__language"):
            by_language.setdefault(language, []).append(user)
        for language, users in by_language.items():
            with override(language):
                subject, body = _said(reservation, verb)
            link = _path("reservation_follow", reservation.ref)
            about = f"reservation-{verb}:{reservation.pk}"
            notify(user_ids=users, key=about, kind="reservation", subject=subject, body=body, link=link)
    elif reservation.claimant_email:
        with override(reservation.language):
            subject, body = _said(reservation, verb)
        link = _path("reservation_follow", reservation.ref, key)
        _write(reservation, f"reservation-{verb}:{reservation.pk}", subject, body, link)


def ask_to_confirm(reservation: Reservation, key: str) -> None:
    """Mail the link by which the claimant confirms the reservation."""
    with override(reservation.language):
        subject = _("Confirm your reservation %(ref)s") % {"ref": reservation.ref}
        body = _(
            "Somebody, you we hope, asked us to reserve uses for this e-mail address. Open this link to confirm it. "
            "It counts from then on. If it was not you, do nothing."
        )
    # Each new link is a letter of its own; the one before no longer opens.
    about = f"reservation-confirm:{reservation.pk}:{reservation.key_sha256[:16]}"
    _write(reservation, about, subject, body, _path("reservation_confirm", reservation.ref, key))


def send_link_again(reservation: Reservation, key: str) -> None:
    """Mail a fresh link to whoever asked once more for what they have reserved already."""
    with override(reservation.language):
        subject = _("Your link to the reservation %(ref)s") % {"ref": reservation.ref}
        body = _(
            "You have reserved this already, so nothing changes. Open this link for your receipt, to follow the "
            "reservation or to withdraw it. Links from earlier e-mails no longer open it."
        )
    about = f"reservation-link:{reservation.pk}:{reservation.key_sha256[:16]}"
    _write(reservation, about, subject, body, _path("reservation_follow", reservation.ref, key))


def _said(reservation: Reservation, verb: str) -> tuple[str, str]:
    reasons = " ".join(reason["detail"] for reason in reservation.reasons)
    since = reservation.effective_from
    facts = {
        "ref": reservation.ref,
        "moment": since and timezone.localtime(since).strftime("%Y-%m-%d %H:%M"),
        "due": reservation.due_on,
        "reasons": reasons,
    }
    return _(_SUBJECTS[verb]) % facts, _(_BODIES[verb]) % facts


def _write(reservation: Reservation, about: str, subject: str, body: str, link: str) -> None:
    to, language = reservation.claimant_email, reservation.language
    send_letter(email=to, language=language, key=about, subject=subject, body=body, link=link)


def _path(name: str, ref: str, key: str = "") -> str:
    path = reverse(f"licensing:{name}", args=[ref])
    return f"{path}?{urlencode({'key': key})}" if key else path


def _publish(reservation: Reservation, kind: str) -> None:
    licensees = Licence.objects.filter(society_id=reservation.society_id).values("licensee_id")
    concerned = Webhook.objects.filter(events__contains=[kind])
    own, others = (
        concerned.filter(organisation_id=reservation.society_id),
        concerned.filter(organisation_id__in=licensees),
    )
    leave([*own, *others], kind, event_key(reservation, kind), event(reservation))


def event_key(reservation: Reservation, kind: str) -> str:
    """A program hears once that a reservation began, and once that it ended, whoever tells it."""
    return f"{kind}:{reservation.pk}"


def event(reservation: Reservation) -> dict[str, Any]:
    """What programs are told: what anybody may know. Very many exceptions are left out (null): the register has them."""
    said = public(reservation)
    long = sum(len(pattern.encode()) for pattern in reservation.excepting) > _MOST_EXCEPTIONS
    return said | {"excepting": None} if long else said


def public(reservation: Reservation) -> dict[str, Any]:
    """What anybody may know of a reservation: what is reserved and since when, never who asked."""
    return {
        "ref": reservation.ref,
        "society": reservation.society.ref,
        "target": reservation.target,
        "work": reservation.work.ref if reservation.work else None,
        "title": reservation.work.title if reservation.work else reservation.title,
        "holder": reservation.holder.ref if reservation.holder else None,
        "place": reservation.place,
        "pattern": reservation.pattern,
        "excepting": reservation.excepting,
        "identifier": f"{reservation.scheme}:{reservation.value}" if reservation.value else None,
        "uses": reservation.uses,
        "territory": reservation.territory,
        "status": reservation.status,
        "effective_from": reservation.effective_from,
        "ended_at": reservation.ended_at,
    }
