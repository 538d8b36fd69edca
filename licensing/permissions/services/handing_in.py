"""Signals that a person hands in: a file or a text, read, shown, and made a reservation of what the person names."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference, Refusal
from licensing import terms
from licensing.intake.models import StoredFile
from licensing.intake.services import keep as keep_file
from licensing.intake.services import path_of
from licensing.permissions.core.places import location_on, place_of
from licensing.permissions.core.statements import Reserved, reserved_by
from licensing.permissions.models import FoundSignal, Reservation, Site
from licensing.permissions.services import found
from licensing.permissions.services.reading_signals import of_file
from licensing.permissions.services.reservations import reserve
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.models import Holder, Work
from licensing.signals.core import Signal, Statement, everywhere

MOST_BYTES: Final = 64 * 1024 * 1024
ABOUT: Final = ("work", "place", "identifier")


@dataclass(frozen=True, slots=True)
class Part:
    """One reservation that would be made: of what, and which uses."""

    target: Target
    uses: frozenset[str]
    territory: tuple[str, ...]


def receive(*, actor: Actor, holder: Holder, file: IO[bytes] | None, name: str, text: str) -> StoredFile:
    """Keep what was handed in, byte for byte, before anything is made of it."""
    _check(actor, holder)
    stream, size = (file, getattr(file, "size", 0) or 0) if file else (io.BytesIO(text.encode()), len(text.encode()))
    if size > MOST_BYTES:
        raise Refusal("too_large", _("The file is larger than %(most)s bytes.") % {"most": MOST_BYTES}, pointer="/file")
    return keep_file(actor=actor, stream=stream, name=name or "pasted.txt", organisation=holder.society)


def understand(stored: StoredFile) -> Signal:
    """What the kept file says, by the reader that knows its format. Raises Refusal where none does."""
    if stored.size > MOST_BYTES:
        raise Refusal("too_large", _("The file is larger than %(most)s bytes.") % {"most": MOST_BYTES}, pointer="/file")
    signal = of_file(stored.name, path_of(stored).read_bytes())
    if signal is None:
        raise Refusal(
            "unknown_format",
            _(
                "We know no signal in this form. Send an EPUB, a PDF, a picture with content credentials, RSL, JSON or robots.txt."
            ),
            pointer="/file",
        )
    return signal


def parts(*, actor: Actor, holder: Holder, about: str, which: str, signal: Signal) -> list[Part]:
    """The reservations that the signal would make of what the person names."""
    _check(actor, holder)
    if about == "place":
        return _of_a_place(which, signal)
    target = _work(actor, which) if about == "work" else _identifier(which)
    return _whole(target, signal.statements)


def _whole(target: Target, statements: Sequence[Statement]) -> list[Part]:
    """One reservation of all that any of the statements reserves. A declaration by fingerprint speaks of its own alone."""
    code = f"ISCC:{target.columns['value']}" if target.columns.get("scheme") == "iscc" else ""
    speaking = [each for each in statements if not code or not _is_iscc(each) or each.location == code]
    whole = everywhere(speaking)
    return [Part(target, whole.reserved, whole.territory)] if whole and whole.reserved else []


def _is_iscc(statement: Statement) -> bool:
    return statement.location.startswith("ISCC:")


@transaction.atomic
def hand_in(
    *, actor: Actor, holder: Holder, about: str, which: str, stored: StoredFile
) -> tuple[FoundSignal, list[Reservation]]:
    """Keep the signal and reserve what it states. Refused where it reserves nothing."""
    signal = understand(stored)
    wanted = parts(actor=actor, holder=holder, about=about, which=which, signal=signal)
    if not wanted:
        raise Refusal(
            "nothing_reserved", _("This reserves nothing, so there is nothing to put on record."), pointer="/file"
        )
    made = found.keep(site=None, holder=holder, society_id=holder.society_id, url="", signal=signal, now=timezone.now())
    record(
        actor=actor,
        verb="signal.handed_in",
        object=Reference("found_signal", made.pk),
        organisation_id=holder.society_id,
        data={"holder": holder.ref, "source": made.source, "file": stored.sha256, "sha256": made.sha256},
    )
    return made, [_reserve(actor, holder, made, part) for part in wanted]


def _reserve(actor: Actor, holder: Holder, signal: FoundSignal, part: Part) -> Reservation:
    return reserve(
        actor=actor,
        society=holder.society,
        target=part.target,
        uses=sorted(part.uses),
        territory=part.territory,
        source=Reservation.Source.SIGNAL,
        claimant=Claimant(holder=holder),
        evidence=found.shown(signal),
        vocabulary=signal.vocabulary,
        signal=signal,
        proved=actor.is_society or _is_proved(holder, part.target),
    )


def _is_proved(holder: Holder, target: Target) -> bool:
    """A place on a host that the holder has proved. (Whether a work is theirs, `reserve` knows.)"""
    host = str(target.columns.get("place", "")).partition("/")[0]
    return bool(host) and Site.objects.filter(holder=holder, host=host, proved_at__isnull=False).exists()


def _of_a_place(which: str, signal: Signal) -> list[Part]:
    """On a host, each statement at its own location; at an address below it, all of them together."""
    try:
        place, pattern = place_of(which)
    except BadIdentifier as bad:
        raise Refusal(
            "bad_place", _("This is no web address: %(reason)s.") % {"reason": _(bad.reason)}, pointer="/which"
        ) from bad
    if place == place.partition("/")[0] and not pattern and not any(_is_iscc(each) for each in signal.statements):
        return [_part(place, found.bounded(reserved)) for reserved in reserved_by(signal.statements)]
    return _whole(Target.place(place, pattern), signal.statements)


def _part(host: str, reserved: Reserved) -> Part:
    place, pattern = location_on(host, reserved.pattern)
    return Part(Target.place(place, pattern, reserved.excepting), reserved.uses, reserved.territory)


def _work(actor: Actor, which: str) -> Target:
    """A work that the actor sees, by its reference or an identifier."""
    seen = Work.objects.visible_to(actor)
    try:
        scheme, value = split(which)
        chosen: Iterable[Work] = seen.named(scheme, normalise(scheme, value))[:2]
    except BadIdentifier:
        chosen = seen.filter(ref=which.strip())[:2]
    works = list(chosen)
    if len(works) != 1:
        raise NotFound(_("There is no work of yours with this reference or identifier."), pointer="/which")
    return Target.work(works[0])


def _identifier(which: str) -> Target:
    scheme, colon, value = which.strip().partition(":")
    if not colon or scheme.lower() not in terms.SCHEMES:
        detail = _("Write the identifier with its scheme, such as iscc:KACT4EBWK27737D2.")
        raise Refusal("bad_identifier", detail, pointer="/which")
    try:
        return Target.identifier(scheme.lower(), value)
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.detail, pointer="/which") from refusal


def _check(actor: Actor, holder: Holder) -> None:
    if not Holder.objects.visible_to(actor).filter(pk=holder.pk).exists():
        raise NotFound(_("There is no such member."))
    actor.require("sites.manage")
