"""Anyone concerned says what they think of a proposal while its consultation is open, under their name."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import IO, Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import NOBODY, Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from licensing import refs
from licensing.intake.services import let_go
from licensing.tariffs.models import Attachment, Comment, TariffVersion
from licensing.tariffs.services import telling
from licensing.tariffs.services.attaching import attach, checked
from licensing.tariffs.services.common import check_not_its_staff, held, said

Status = Comment.Status
KIND: Final = "C"  # with which a comment's ref begins
LONGEST: Final = 20_000  # characters
FORGOTTEN_AFTER: Final = datetime.timedelta(days=30)


@transaction.atomic
def comment(
    *,
    actor: Actor,
    version: TariffVersion,
    name: str,
    standing: str,
    text: str,
    organisation: str = "",
    files: Sequence[tuple[str, IO[bytes]]] = (),
    email: str = "",
    language: str = "ko",
) -> Comment:
    """Hand in a comment. Signed in, it waits for the rate body to publish it; else a link is mailed to confirm it first.

    The same words by e-mail again: a fresh link to them, so that a lost one is never the end.
    """
    version = held(version)
    _check_open(version)
    _check_outside(actor, version)
    columns = _columns(version, name, standing, organisation, text, language)
    sent = checked(files)
    user_id = actor.user_id if actor.kind == "user" else None
    if user_id:
        if Comment.objects.filter(version=version, user_id=user_id, text=columns["text"]).exists():
            raise Conflict("said_before", _("You have handed in this comment already."), pointer="/text")
        made = Comment.objects.create(
            **columns, ref=refs.new_ref(KIND), user_id=user_id, status=Status.WAITING, received_at=timezone.now()
        )
        attach(actor=actor, comment=made, files=sent)
        note(actor, "received", made)
        telling.of_waiting_comments(version)
        return made
    key = secrets.token_urlsafe(32)
    made, is_new = _unconfirmed(columns | {"email": _address(email)}, key)
    if is_new:
        attach(actor=actor, comment=made, files=sent)
        note(actor, "requested", made)
    telling.ask_to_confirm(made, key)
    return made


@transaction.atomic
def confirm(ref: str, key: str) -> Comment:
    """Whoever wrote it confirms: the comment is received. Again: nothing changes. After the consultation: too late."""
    found = by_key(ref, key)
    if found.status != Status.UNCONFIRMED:
        return found
    version = held(found.version)
    _check_open(version)
    rows = Comment.objects.filter(pk=found.pk, status=Status.UNCONFIRMED)
    if rows.update(status=Status.WAITING, received_at=timezone.now()) == 1:
        note(NOBODY, "received", found)
        telling.of_waiting_comments(version)
    found.refresh_from_db()
    return found


def by_key(ref: str, key: str) -> Comment:
    """The comment whose writer holds this key. Raises NotFound."""
    comments = Comment.objects.select_related("version__tariff__society", "version__addressed_to")
    found = comments.filter(ref=refs.spelled(ref, KIND)).first()
    if found is None or not found.key_sha256 or not hmac.compare_digest(found.key_sha256, _digest(key)):
        raise NotFound(_("This link is not valid. Open the one in the latest e-mail that we sent."))
    return found


@transaction.atomic
def moderate(*, actor: Actor, comment: Comment, ground: str = "") -> Comment:
    """The rate body publishes a comment, or withholds it for one of the published grounds; never the society."""
    actor.require("tariffs.determine")
    comment = _seen(actor, comment)
    if comment.version.addressed_to_id != actor.organisation_id:
        raise Forbidden(_("The rate body to which the proposal is put publishes comments on it."))
    check_not_its_staff(actor, comment.version.tariff.society)
    if ground and ground not in Comment.Ground.values:
        raise Refusal("unknown_ground", _("Choose one of the published grounds."), pointer="/ground")
    after = Status.WITHHELD if ground else Status.PUBLISHED
    waiting = Comment.objects.filter(pk=comment.pk, status=Status.WAITING)
    if waiting.update(status=after, ground=ground, moderated_at=timezone.now()) != 1:
        raise Conflict("already_moderated", _("This comment was published or withheld before."))
    comment.refresh_from_db()
    note(actor, str(after), comment, **({"reason": ground} if ground else {}))
    telling.of_moderation(comment)
    return comment


@transaction.atomic
def answer(*, actor: Actor, comment: Comment, text: str) -> Comment:
    """The society answers a published comment, once, beside it."""
    actor.require("tariffs.manage")
    comment = _seen(actor, comment)
    if not actor.is_system and comment.version.tariff.society_id != actor.organisation_id:
        raise Forbidden(_("The society that proposed it answers comments on it."))
    if comment.status != Status.PUBLISHED:
        raise Conflict("not_published", _("Only a published comment is answered."))
    words = said(text, pointer="/text", most=LONGEST)
    if not words:
        raise Refusal("no_answer", _("Write an answer."), pointer="/text")
    unanswered = Comment.objects.filter(pk=comment.pk, status=Status.PUBLISHED, answered_at=None)
    if unanswered.update(answer=words, answered_at=timezone.now()) != 1:
        raise Conflict("already_answered", _("This comment was answered before."))
    comment.refresh_from_db()
    note(actor, "answered", comment)
    return comment


def forget_unconfirmed(*, now: datetime.datetime) -> int:
    """Delete what nobody confirmed within 30 days, with its files; returns how many comments went."""
    old = Comment.objects.filter(status=Status.UNCONFIRMED, created_at__lt=now - FORGOTTEN_AFTER)
    gone = 0
    for found in list(old.order_by("pk")[:1000]):
        with transaction.atomic():
            held_one = Comment.objects.select_for_update().filter(pk=found.pk, status=Status.UNCONFIRMED).first()
            if held_one is None:
                continue
            kept = [each.file for each in Attachment.objects.filter(comment=held_one).select_related("file")]
            Attachment.objects.filter(comment=held_one).delete()
            held_one.delete()
            for stored in kept:
                let_go(actor=NOBODY, stored=stored)
            gone += 1
    return gone


def note(actor: Actor, what: str, comment: Comment, **data: Any) -> None:
    """What happened, without who wrote or what: personal data stays out of evidence."""
    record(
        actor=actor,
        verb=f"comment.{what}",
        object=Reference("comment", comment.pk),
        organisation_id=comment.version.addressed_to_id,
        data={
            "ref": comment.ref,
            "tariff": comment.version.tariff.ref,
            "version": comment.version.version,
            **data,
        },
    )


def _columns(
    version: TariffVersion, name: str, standing: str, organisation: str, text: str, language: str
) -> dict[str, Any]:
    """What a comment says and who says it, checked and cleaned."""
    columns = {
        "version": version,
        "name": " ".join(said(name, pointer="/name", most=200).split()),
        "standing": standing,
        "organisation": " ".join(said(organisation, pointer="/organisation", most=200).split()),
        "text": said(text, pointer="/text", most=LONGEST),
        "language": language if language in ("en", "ko") else "ko",
    }
    if standing not in Comment.Standing.values:
        raise Refusal("unknown_standing", _("Choose as whom you speak."), pointer="/standing")
    if not columns["name"]:
        raise Refusal(
            "no_name", _("Give your name: comments stand under the names of those who wrote them."), pointer="/name"
        )
    if not columns["text"]:
        raise Refusal("no_text", _("Write what you have to say."), pointer="/text")
    return columns


def _unconfirmed(columns: dict[str, Any], key: str) -> tuple[Comment, bool]:
    """The comment that waits for its e-mail, with this key, and whether it is new."""
    same = {name: columns[name] for name in ("version", "email", "text")}
    waiting = Comment.objects.filter(**same, status=Status.UNCONFIRMED).first()
    if waiting is not None:
        Comment.objects.filter(pk=waiting.pk).update(key_sha256=_digest(key))
        waiting.refresh_from_db()
        return waiting, False
    made = Comment.objects.create(**columns, ref=refs.new_ref(KIND), status=Status.UNCONFIRMED, key_sha256=_digest(key))
    return made, True


def _address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal("no_email", _("Give the e-mail address to which we send the link."), pointer="/email") from None
    return address


def _check_open(version: TariffVersion) -> None:
    today, window = timezone.localdate(), version.consultation
    if not version.takes_comments(today):
        detail = _("The consultation is not open: comments are no longer taken.")
        if window is not None and today < window.lower:
            detail = _("The consultation has not opened yet.")
        raise Conflict("consultation_closed", detail)


def _check_outside(actor: Actor, version: TariffVersion) -> None:
    """Those who propose have given their reasons, and those who decide are not to be heard as parties."""
    if actor.organisation_id in (version.tariff.society_id, version.addressed_to_id) and actor.organisation_id:
        raise Forbidden(_("The society that proposes and the rate body that decides do not comment."))


def _seen(actor: Actor, comment: Comment) -> Comment:
    seen = Comment.objects.visible_to(actor).select_related("version__tariff__society", "version__addressed_to")
    found = seen.filter(pk=comment.pk).first()
    if found is None:
        raise NotFound(_("There is no such comment."))
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
