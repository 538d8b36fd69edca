"""Tell who reserved what became of it: a member by a notice, anyone else by a letter to their e-mail address."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from accounts.identity.core import Actor
from accounts.notices.services import notify
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


def tell(reservation: Reservation, verb: str, *, actor: Actor, key: str = "") -> None:
    """Tell the claimant what happened, once the caller's transaction is committed; not who did it themself as a member."""
    holder = reservation.claimant_holder
    if holder is not None:
        people = Representation.objects.filter(holder=holder).exclude(user_id=actor.user_id)
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
        _send(reservation, subject, body, _path("reservation_follow", reservation.ref, key))


def ask_to_confirm(reservation: Reservation, key: str) -> None:
    """Mail the link by which the claimant confirms the reservation."""
    with override(reservation.language):
        subject = _("Confirm your reservation %(ref)s") % {"ref": reservation.ref}
        body = _(
            "Somebody, you we hope, asked us to reserve uses for this e-mail address. Open this link to confirm it. "
            "It counts from then on. If it was not you, do nothing."
        )
    _send(reservation, subject, body, _path("reservation_confirm", reservation.ref, key))


def _said(reservation: Reservation, verb: str) -> tuple[str, str]:
    reasons = " ".join(reason["detail"] for reason in reservation.reasons)
    since = reservation.effective_from
    facts = {
        "ref": reservation.ref,
        "moment": since and since.astimezone().strftime("%Y-%m-%d %H:%M"),
        "due": reservation.due_on,
        "reasons": reasons,
    }
    return _(_SUBJECTS[verb]) % facts, _(_BODIES[verb]) % facts


def _send(reservation: Reservation, subject: str, body: str, link: str) -> None:
    message = EmailMessage(subject, f"{body}\n\n{settings.SITE_URL}{link}", None, [reservation.claimant_email])
    transaction.on_commit(message.send, robust=True)


def _path(name: str, ref: str, key: str = "") -> str:
    try:
        path = reverse(f"licensing:{name}", args=[ref])
    except NoReverseMatch:
        path = f"/reservations/{ref}/"
    return f"{path}?key={key}" if key else path
