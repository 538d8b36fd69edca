"""What is done with reservations: made, asked for by anyone, confirmed, decided, withdrawn, superseded."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import NOBODY, Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import refs, terms
from licensing.licences.services import checked_codes, checked_territory
from licensing.permissions.core import deadlines
from licensing.permissions.models import FoundSignal, Reservation
from licensing.permissions.services import telling
from licensing.permissions.services.entitled import check_maker, check_staff, may_withdraw
from licensing.permissions.services.targets import Claimant, Target

__all__ = [
    "Claimant", "Target", "accept", "by_key", "by_ref", "claimant_of", "confirm", "reject", "request", "reserve", "spelled",
    "supersede", "target_of", "withdraw",
]  # fmt: skip

Status = Reservation.Status
STANDING: Final = (Status.RECEIVED, Status.EFFECTIVE)
ANYWHERE: Final = (terms.ANY,)
_KIND: Final = "R"  # with which a reservation's ref begins
_LOCK: Final = 0x2E  # namespace of the advisory lock under which two equal reservations wait for each other
_LONGEST: Final = {"title": 1000, "creators": 2000, "name": 300, "role": 300}


@transaction.atomic
def reserve(
    *,
    actor: Actor,
    society: Organisation,
    target: Target,
    uses: Collection[str],
    territory: Collection[str] = ANYWHERE,
    effective_from: dt.datetime | None = None,
    source: str,
    claimant: Claimant,
    evidence: str = "",
    evidence_url: str = "",
    vocabulary: str = "",
    signal: FoundSignal | None = None,
    proved: bool = False,
    supersedes: Reservation | None = None,
) -> Reservation:
    """Keep uses to their holder, from now or a later moment. The same again gives the one that stands.

    It counts at once; where identity is still to be checked (not `proved`, and not a member about what is theirs), it
    is `received` until the society accepts or rejects it. `supersedes` ends another one at the moment that this begins.
    """
    known = check_maker(actor, society, target, claimant)
    wanted = _wanted(society, target, uses, territory, claimant) | {"source": source, "vocabulary": vocabulary}
    wanted |= _evidence(evidence, evidence_url) | {"signal": signal}
    _wait_for_equal(wanted)
    now = timezone.now()  # after the wait: what an equal one made meanwhile has begun by then
    begins = _begins(now, effective_from)
    same = _standing(wanted, by=begins).exclude(pk=supersedes.pk if supersedes else None).first()
    ref = same.ref if same else _new_ref()
    if supersedes is not None:
        # The old one ends as the new one begins, so that nothing is left open between them.
        _move(actor, supersedes, STANDING, Status.SUPERSEDED, "superseded", ended_at=begins, by=ref)
    if same is None:
        wanted |= {"ref": ref, "received_at": now, "effective_from": begins, "supersedes": supersedes}
        same = _create(wanted, proved=proved or known)
        _note(actor, "received", same, effective_from=begins.isoformat())
        telling.tell(same, "effective" if same.status == Status.EFFECTIVE else "received", actor=actor)
    return same


@transaction.atomic
def request(
    *,
    actor: Actor = NOBODY,
    society: Organisation,
    target: Target,
    uses: Collection[str],
    territory: Collection[str] = ANYWHERE,
    effective_from: dt.datetime | None = None,
    claimant: Claimant,
    source: str = Reservation.Source.FORM,
    evidence: str = "",
    evidence_url: str = "",
    language: str = "",
) -> Reservation:
    """Anyone's reservation. It does not count before the link in the e-mail to the claimant is opened (`confirm`).

    It begins when that happens, or at the later moment asked for. The same one again: a fresh link to it is mailed,
    whether it waits or stands already. So a link that was lost is never the end.
    """
    if not claimant.email or claimant.holder is not None:
        raise Refusal("no_email", _("Give the e-mail address to which we send the link."), pointer="/email")
    claimant = Claimant(None, claimant.name, claimant.email, claimant.role, language or claimant.language)
    wanted = _wanted(society, target, uses, territory, claimant) | {"source": source}
    wanted |= _evidence(evidence, evidence_url)
    _wait_for_equal(wanted)
    key = secrets.token_urlsafe(32)
    wished = max(timezone.now(), effective_from or timezone.now())
    if standing := _standing(wanted, by=wished).first() or _taken_over(wanted, by=wished):
        standing.key_sha256 = _digest(key)
        standing.save(update_fields=["key_sha256"])
        telling.send_link_again(standing, key)
        return standing
    waiting = _same(wanted).filter(status=Status.UNCONFIRMED).first()
    if waiting is None:
        waiting = Reservation.objects.create(
            **wanted,
            ref=_new_ref(),
            status=Status.UNCONFIRMED,
            key_sha256=_digest(key),
            asked_from=effective_from,
        )
        _note(actor, "requested", waiting)
    else:
        waiting.key_sha256, waiting.asked_from = _digest(key), effective_from
        waiting.save(update_fields=["key_sha256", "asked_from"])
    telling.ask_to_confirm(waiting, key)
    return waiting


@transaction.atomic
def confirm(ref: str, key: str) -> Reservation:
    """The claimant confirms: the reservation is received, and counts from now, or later if so asked. Again: nothing changes."""
    found = by_key(ref, key)
    now = timezone.now()
    due, since = _due_on(found.society, now), max(now, found.asked_from or now)
    changed = Reservation.objects.filter(pk=found.pk, status=Status.UNCONFIRMED).update(
        status=Status.RECEIVED, received_at=now, effective_from=since, due_on=due
    )
    found.refresh_from_db()
    if changed:
        _note(NOBODY, "received", found, effective_from=since.isoformat())
        telling.tell(found, "received", actor=NOBODY, key=key)
    return found


@transaction.atomic
def accept(*, actor: Actor, reservation: Reservation) -> Reservation:
    """The society has checked who asked: the reservation is effective. It has counted all along."""
    check_staff(actor, reservation)
    return _move(actor, reservation, (Status.RECEIVED,), Status.EFFECTIVE, "accepted", decided_at=timezone.now())


@transaction.atomic
def reject(*, actor: Actor, reservation: Reservation, reasons: Sequence[Mapping[str, str]]) -> Reservation:
    """The society found that it cannot stand, for these reasons ({code, detail}). It counted until now."""
    check_staff(actor, reservation)
    said = [{"code": str(r["code"])[:40], "detail": str(r["detail"]).strip()[:2000]} for r in reasons]
    if not said or not all(reason["detail"] for reason in said):
        raise Refusal("no_reason", _("Say why it is rejected: who asked will read it."), pointer="/reasons")
    now = timezone.now()
    moved: dict[str, Any] = {"ended_at": now, "decided_at": now, "reasons": said}
    return _move(actor, reservation, (Status.RECEIVED,), Status.REJECTED, "rejected", **moved)


@transaction.atomic
def withdraw(*, reservation: Reservation, actor: Actor = NOBODY, key: str = "") -> Reservation:
    """Whoever made it takes it back, by their account or by the key in their e-mail: from now on it reserves nothing."""
    if key:
        by_key(reservation.ref, key)
    elif not may_withdraw(actor, reservation):
        raise Forbidden(_("Only who made a reservation, or its society, can withdraw it."))
    if reservation.status == Status.WITHDRAWN:
        return reservation
    return _move(actor, reservation, STANDING, Status.WITHDRAWN, "withdrawn", ended_at=timezone.now())


def supersede(
    *,
    actor: Actor,
    reservation: Reservation,
    target: Target | None = None,
    uses: Collection[str] | None = None,
    territory: Collection[str] | None = None,
    **more: Any,
) -> Reservation:
    """Change what is reserved: a new reservation by the same claimant takes the place of this one.

    Where the target stays, so does the proof of identity.
    """
    if not may_withdraw(actor, reservation):
        raise Forbidden(_("Only who made a reservation, or its society, can change it."))
    proved = target is None and reservation.status == Status.EFFECTIVE
    wanted: dict[str, Any] = {
        "society": reservation.society,
        "target": target or target_of(reservation),
        "uses": reservation.uses if uses is None else uses,
        "territory": reservation.territory if territory is None else territory,
        "source": reservation.source,
        "claimant": claimant_of(reservation),
        "vocabulary": reservation.vocabulary,
        "proved": proved,
    }
    return reserve(actor=actor, supersedes=reservation, **(wanted | more))


def by_ref(ref: str, *, actor: Actor = NOBODY) -> Reservation:
    """The reservation of this ref, as typed, if it is on the public register or the actor's own. Raises NotFound."""
    found = Reservation.objects.filter(ref=spelled(ref)).select_related("society", "work", "holder").first()
    if found is None or (
        found.status == Status.UNCONFIRMED and not Reservation.objects.visible_to(actor).filter(pk=found.pk).exists()
    ):
        raise NotFound(_("There is no such reservation."))
    return found


def by_key(ref: str, key: str) -> Reservation:
    """The reservation whose claimant holds this key. Raises NotFound."""
    found = Reservation.objects.filter(ref=spelled(ref)).select_related("society", "work", "holder").first()
    if found is None or not found.key_sha256 or not hmac.compare_digest(found.key_sha256, _digest(key)):
        raise NotFound(_("This link is not valid. Open the one in the latest e-mail that we sent."))
    return found


def spelled(ref: str) -> str:
    """A ref as people type it, in the form in which it is kept: `R-ABCD-EFGH-JKLM`.

    >>> spelled("r abcd efgh jklm")
    'R-ABCD-EFGH-JKLM'
    """
    return refs.spelled(ref, _KIND)


def target_of(reservation: Reservation) -> Target:
    """What it is of, to make another one like it."""
    columns: dict[str, dict[str, Any]] = {
        "work": {"work": reservation.work},
        "holder": {"holder": reservation.holder},
        "place": {name: getattr(reservation, name) for name in ("place", "pattern", "excepting")},
        "identifier": {name: getattr(reservation, name) for name in ("scheme", "value")},
    }
    return Target(reservation.target, columns[reservation.target], reservation.title, reservation.creators)


def claimant_of(reservation: Reservation) -> Claimant:
    return Claimant(
        reservation.claimant_holder,
        reservation.claimant_name,
        reservation.claimant_email,
        reservation.claimant_role,
        reservation.language,
    )


def _wanted(
    society: Organisation, target: Target, uses: Collection[str], territory: Collection[str], claimant: Claimant
) -> dict[str, Any]:
    """The columns that say what is reserved by whom, checked."""
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal("not_a_society", _("“%(ref)s” is not a society.") % {"ref": society.ref}, pointer="/society")
    about = target.columns.get("work") or target.columns.get("holder")
    if about is not None and about.society_id != society.pk:
        raise NotFound(_("There is no such work or holder in this society."), pointer="/target")
    if claimant.holder is not None and claimant.holder.society_id != society.pk:
        raise NotFound(_("There is no such holder."), pointer="/holder")
    texts = {"title": target.title, "creators": target.creators, "name": claimant.name, "role": claimant.role}
    for name, text in texts.items():
        if len(text) > _LONGEST[name]:
            raise Refusal("too_long", _("The value is too long."), pointer=f"/{name}")
    return {
        "society": society,
        "target": target.kind,
        **target.columns,
        "title": target.title,
        "creators": target.creators,
        "uses": checked_codes(uses, terms.USES, "/uses"),
        "territory": checked_territory(territory),
        "claimant_holder": claimant.holder,
        "claimant_name": claimant.name.strip(),
        "claimant_email": claimant.email.strip().lower(),
        "claimant_role": claimant.role.strip(),
        "language": claimant.language if claimant.language in ("en", "ko") else "ko",
    }


def _evidence(text: str, url: str) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest() if text else ""
    return {"evidence": text, "evidence_sha256": digest, "evidence_url": url}


_SAME: Final = (
    "society", "target", "work", "holder", "place", "pattern", "excepting", "scheme", "value", "uses", "territory",
    "claimant_holder", "claimant_email",
)  # fmt: skip


def _same(wanted: Mapping[str, Any]) -> Any:
    """Reservations by the same claimant of the same things."""
    keys = {name: wanted[name] for name in _SAME if name in wanted}
    if wanted["claimant_holder"] is not None:
        del keys["claimant_email"]
    return Reservation.objects.filter(**keys).select_related("society", "work", "holder").order_by("id")


def _standing(wanted: Mapping[str, Any], *, by: dt.datetime) -> Any:
    """Equal ones that stand and count by then: who asks for now is not put off with one that begins later.

    What a person reserves never rests on what their site says today: that ends with the site. Nor does a site's on a
    person's, which may still be checked, be rejected or be withdrawn.
    """
    signal = wanted.get("signal")
    found = _same(wanted).filter(status__in=STANDING, effective_from__lte=by)
    return found.filter(signal__site=signal.site_id if signal else None)


def _taken_over(wanted: Mapping[str, Any], *, by: dt.datetime) -> Reservation | None:
    """The one that stands where the society accepted an equal one as one of a registered work."""
    replaced = _same(wanted).filter(status=Status.SUPERSEDED)
    theirs = Reservation.objects.filter(supersedes__in=replaced.order_by(), claimant_email=wanted["claimant_email"])
    standing = theirs.filter(status__in=STANDING, effective_from__lte=by)
    return standing.select_related("society", "work", "holder").order_by("id").first()


def _wait_for_equal(wanted: Mapping[str, Any]) -> None:
    """So that the same form sent twice at once makes one reservation."""
    key = repr([str(getattr(wanted.get(name), "pk", wanted.get(name))) for name in _SAME])
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, number])


def _begins(now: dt.datetime, asked: dt.datetime | None) -> dt.datetime:
    if asked is not None and asked < now:
        raise Refusal(
            "in_the_past",
            _("A reservation counts from the moment it is received, never backwards. Give a later moment, or none."),
            pointer="/effective_from",
        )
    return asked or now


def _create(columns: Mapping[str, Any], *, proved: bool) -> Reservation:
    now = columns["received_at"]
    return Reservation.objects.create(
        **columns,
        status=Status.EFFECTIVE if proved else Status.RECEIVED,
        due_on=None if proved else _due_on(columns["society"], now),
        decided_at=now if proved else None,
    )


def _move(
    actor: Actor,
    reservation: Reservation,
    before: Collection[str],
    after: str,
    verb: str,
    *,
    by: str = "",
    **fields: Any,
) -> Reservation:
    """One transition, by compare-and-set, with its evidence; its claimant is told."""
    changed = Reservation.objects.filter(pk=reservation.pk, status__in=before).update(status=after, **fields)
    reservation.refresh_from_db()
    if changed != 1:
        raise Conflict(
            "wrong_status",
            _("The reservation %(ref)s is %(status)s, so this cannot be done.")
            % {"ref": reservation.ref, "status": reservation.get_status_display()},
        )
    _note(actor, verb, reservation, **({"by": by} if by else {}))
    telling.tell(reservation, verb, actor=actor)
    return reservation


def _due_on(society: Organisation, moment: dt.datetime) -> dt.date:
    """By when the society is to have checked who asked."""
    return deadlines.working_days_after(timezone.localdate(moment), deadlines.IDENTITY_DAYS, society.country)


def _new_ref() -> str:
    return refs.new_ref(_KIND)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _note(actor: Actor, verb: str, reservation: Reservation, **data: Any) -> None:
    """What happened, without who asked: personal data stays out of evidence."""
    record(
        actor=actor,
        verb=f"reservation.{verb}",
        object=Reference("reservation", reservation.pk),
        organisation_id=reservation.society_id,
        data={"ref": reservation.ref, "kind": reservation.target, "uses": reservation.uses} | data,
    )
