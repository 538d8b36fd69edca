"""Reservations in plain words: what each use means, what one covers, and texts that a holder sends to others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from licensing import terms
from licensing.permissions.models import Reservation

# What each use means to someone who makes works.
MEANINGS: Final = {
    "train": gettext_lazy("Building a new AI model from copies of works. The model keeps what it learned."),
    "finetune": gettext_lazy("Teaching a finished model further, for example to write or draw in a certain style."),
    "ground": gettext_lazy("Giving the work to an AI as a source while it answers somebody’s question."),
    "evaluate": gettext_lazy("Using the work to test how well an AI does."),
    "index": gettext_lazy("Putting the work into a search index, so that it can be found and linked to."),
}
NAMES: Final = {
    "train": gettext_lazy("Training"),
    "finetune": gettext_lazy("Fine-tuning"),
    "ground": gettext_lazy("Source for answers"),
    "evaluate": gettext_lazy("Evaluation"),
    "index": gettext_lazy("Index and search"),
}

# Why a society refuses; the words are kept in the record, and said in the reader's language.
REASONS: Final = {
    "not_holder": gettext_noop("Who asked does not hold rights in this work."),
    "identity_not_shown": gettext_noop("Who asked did not show who they are by the day named."),
    "not_found": gettext_noop("It cannot be told which work is meant."),
    "not_protected": gettext_noop("The work is not protected, or no longer."),
    "made_twice": gettext_noop("The same reservation is on record already."),
    "other": gettext_noop("Another reason"),
}


def reason_said(reason: Mapping[str, str]) -> str:
    """A reason that the house knows, in the reader's language; own words as they are."""
    code = reason.get("code", "")
    return _(REASONS[code]) if code in REASONS and code != "other" else reason.get("detail", "")


def use_name(code: str) -> str:
    return str(NAMES.get(code, code))


def is_all(uses: Collection[str]) -> bool:
    return terms.ANY in uses or set(terms.USES) <= set(uses)


def uses_said(uses: Collection[str]) -> str:
    """`All AI use`, or the uses by name."""
    return _("All AI use") if is_all(uses) else ", ".join(use_name(use) for use in terms.USES if use in uses)


def territory_said(territory: Collection[str]) -> str:
    return _("everywhere") if terms.ANY in territory else ", ".join(territory)


def covered(reservation: Reservation) -> str:
    """What a reservation is of, in one line: the work's title, a holder, a web address, or an identifier."""
    target = Reservation.Target
    if reservation.target == target.WORK:
        return reservation.work.title if reservation.work else ""
    if reservation.target == target.HOLDER:
        return _("All works of %(holder)s") % {"holder": reservation.holder}
    if reservation.target == target.PLACE:
        return reservation.place + (f" ({reservation.pattern})" if reservation.pattern else "")
    return reservation.title or identifier_said(reservation.scheme, reservation.value)


def covered_publicly(reservation: Reservation) -> str:
    """The same for everybody: members are told by their reference, since nobody else sees who they are."""
    if reservation.target == Reservation.Target.HOLDER and reservation.holder:
        return _("All works of the member %(ref)s") % {"ref": reservation.holder.ref}
    return covered(reservation)


def kind_said(reservation: Reservation) -> str:
    """What it is of, by kind; a work that was only typed in is told by its title."""
    return _("title as typed") if reservation.scheme == "title" else reservation.get_target_display()


def claimant_said(reservation: Reservation) -> str:
    """Who asked: a member as the reader's language writes them, anybody else as typed."""
    return str(reservation.claimant_holder) if reservation.claimant_holder else reservation.claimant_name


def state_said(reservation: Reservation) -> str:
    """Its state in few words, for lists."""
    if reservation.status == Reservation.Status.RECEIVED:
        return _("being checked")
    return reservation.get_status_display()


def identifier_said(scheme: str, value: str) -> str:
    """`ISBN 9788936434267`; a title stands for itself."""
    return value if scheme == "title" else f"{scheme.upper()} {value}"


@dataclass(frozen=True, slots=True)
class StandardText:
    """A text to copy: `kind` names its file."""

    kind: str
    title: str
    body: str


MOST_NAMED: Final = 20  # works that a text lists


def standard_texts(name: str, reservations: Sequence[Reservation], link: str) -> list[StandardText]:
    """A letter to a platform, a notice for one's own site and a line for a footer, in the language now active."""
    works = "\n".join(_line(each) for each in reservations[:MOST_NAMED])
    if len(reservations) > MOST_NAMED:
        more = len(reservations) - MOST_NAMED
        works += "\n" + _("and %(more)s more; the register lists them all") % {"more": more}
    values = {"name": name, "works": works, "link": link, "uses": _uses_of(reservations)}
    return [
        StandardText("letter", _("Letter to a platform or an AI firm"), _letter() % values),
        StandardText("notice", _("Notice for your own site"), _notice() % values),
        StandardText("line", _("One line, for a footer or an imprint"), _one_line() % values),
    ]


def _letter() -> str:
    return _(
        "To whom it may concern\n\n"
        "I, %(name)s, hold rights in the works below and reserve their use by AI: %(uses)s. I have given no permission "
        "for these uses.\n\n"
        "%(works)s\n\n"
        "Please do not collect, store or use them for these purposes, take copies that you hold for these purposes out "
        "of use, and tell me in writing within 14 days what you did.\n\n"
        "The reservations are on public record with the date and time of receipt: %(link)s\n"
        "If you want to use the works, ask for a licence there.\n\n"
        "%(name)s"
    )


def _notice() -> str:
    return _(
        "Use of this site’s content by AI is reserved\n\n"
        "%(name)s reserves the use of the content of this site and of the works below by AI: %(uses)s. No permission is "
        "given, by silence either. This is also a reservation of text and data mining as in article 4(3) of Directive "
        "(EU) 2019/790.\n\n"
        "%(works)s\n\n"
        "Public record: %(link)s"
    )


def _one_line() -> str:
    return _("© %(name)s. Use by AI reserved (%(uses)s). Record and licences: %(link)s")


def _line(reservation: Reservation) -> str:
    received = reservation.received_at
    day = "" if received is None else f"{timezone.localdate(received):%Y-%m-%d}"
    return f"- {covered(reservation)} ({reservation.ref}, {day})"


def _uses_of(reservations: Sequence[Reservation]) -> str:
    uses = {use for each in reservations for use in each.uses} or set(terms.USES)
    return uses_said(uses)
