"""A member registers a work with its shares; it is put on record once every other holder named has confirmed.

Whoever acts on a registration takes its row's lock first: without it, two holders who confirm at the same moment would each
see the other as still to come, and nobody would make the work.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from accounts.access.limits import limit
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.notices.services import send_letter
from licensing import terms
from licensing.intake.importing import check_society, serialised
from licensing.repertoire.core import Part, parse_share, ppm_of, same_name
from licensing.repertoire.identifiers import BadIdentifier, normalise
from licensing.repertoire.models import Holder, Identifier, Registration, RegistrationShare, Share, Work
from licensing.repertoire.services.common import Errors, saved
from licensing.repertoire.services.telling import Said, tell_holders, tell_staff
from licensing.repertoire.services.works import identifier_of

PERMISSION: Final = "works.register"
STAFF: Final = "works.import"
MOST_LINES: Final = 50
MOST_LOOK_UPS: Final = 100  # of members by who registers, an hour: no way to read out the list of members
MOST_LIKE: Final = 10
AN_HOUR: Final = 3600
_PUBLISHED: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_FIELDS: Final = ("kind", "title", "creators", "language", "published")

ASKED: Final = (
    gettext_noop("%(holder)s registers “%(title)s” and names you as a holder"),
    gettext_noop("Look at your share, and confirm it or object. Nothing is on record until all have confirmed."),
)
CHANGED: Final = (
    gettext_noop("The registration of “%(title)s” was changed"),
    gettext_noop("What was confirmed before no longer counts. Look at your share, and confirm it or object."),
)
OBJECTED: Final = (
    gettext_noop("The registration of “%(title)s” is stopped: a holder objects"),
    gettext_noop("The reason given: %(reason)s. Talk to each other, and register the work again."),
)
WITHDRAWN: Final = (
    gettext_noop("The registration of “%(title)s” was withdrawn"),
    gettext_noop("Nothing was put on record."),
)
CONFIRMED: Final = (
    gettext_noop("“%(title)s” is on record"),
    gettext_noop("All holders named have confirmed. The work and its shares count now."),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A share as who registers writes it: whose (reference, e-mail, IPI or exact name; empty: their own), how much."""

    who: str
    share: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration, and those named who are no members: their shares are left unrecorded."""

    registration: Registration
    unknown: tuple[str, ...]


def find_member(society_id: int, who: str) -> Holder | None:
    """The one member with this reference, e-mail address, IPI or exact name; None where there is none, or several."""
    members, who = Holder.objects.filter(society_id=society_id), who.strip()
    if not who:
        return None
    tries: list[dict[str, str]] = [{"ref": who}]
    if "@" in who:
        tries.append({"email__iexact": who})
    else:
        try:
            tries.append({"ipi": normalise("ipi", who)})
        except BadIdentifier:
            tries += [{"name__iexact": who}, {"name_ko__iexact": who}]
    for each in tries:
        found = list(members.filter(**each).order_by("pk")[:2])
        if len(found) == 1:
            return found[0]
    return None


def similar_works(society_id: int, title: str, identifiers: Sequence[str] = ()) -> list[Work]:
    """Works on record that may be the same one: by an identifier, or by the same title."""
    wanted = set()
    for text in identifiers:
        try:
            wanted.add(identifier_of(text))
        except BadIdentifier:
            continue  # the form says so at its field
    found: dict[int, Work] = {}
    for scheme, value in sorted(wanted):
        for each in Identifier.objects.filter(society_id=society_id, scheme=scheme, value=value).select_related("work"):
            found[each.work_id] = each.work
    for work in Work.objects.filter(society_id=society_id).search(title).order_by("pk")[:200]:
        if same_name(work.title, title):
            found.setdefault(work.pk, work)
    return list(found.values())[:MOST_LIKE]


@transaction.atomic
def register(
    *,
    actor: Actor,
    holder: Holder,
    lines: Sequence[Named],
    identifiers: Sequence[str] = (),
    valid_from: dt.date | None = None,
    unfound: bool = True,
    **fields: Any,
) -> Registered:
    """Put a work forward with its shares. Where nobody else is named, or the actor acts for all of them, it is a work at once.

    Who is no member has no share on record; without `unfound` that is refused, so that a slip of the pen is seen first.
    Raises Refusal with an error for each bad field or line, Conflict where an identifier names a work already.
    """
    _check_registrant(actor, holder)
    made = Registration(society_id=holder.society_id, holder=holder)
    return _entered(actor, made, lines, identifiers, valid_from, unfound, fields, "started", ASKED)


@transaction.atomic
def change(
    *,
    actor: Actor,
    registration: Registration,
    lines: Sequence[Named],
    identifiers: Sequence[str] = (),
    valid_from: dt.date | None = None,
    unfound: bool = True,
    **fields: Any,
) -> Registered:
    """Enter an open registration anew. What others confirmed was something else: they are asked again."""
    held = _open(registration)
    _check_registrant(actor, held.holder)
    held.shares.all().delete()
    return _entered(actor, held, lines, identifiers, valid_from, unfound, fields, "changed", CHANGED)


@transaction.atomic
def withdraw(*, actor: Actor, registration: Registration) -> Registration:
    """Take an open registration back."""
    held = _open(registration)
    _check_registrant(actor, held.holder)
    _end(held, Registration.Status.WITHDRAWN)
    _note(actor, "withdrawn", held)
    _tell(held, _others(held), WITHDRAWN, "withdrawn", actor)
    return held


@transaction.atomic
def confirm(*, actor: Actor, registration: Registration) -> Registration:
    """A holder who is named confirms their shares. The last one makes the work."""
    actor.require(PERMISSION)
    held = _open(registration)
    mine = held.shares.filter(holder_id__in=actor.holder_ids)
    return _confirmed(actor, held, mine)


@transaction.atomic
def confirm_for(*, actor: Actor, registration: Registration, holder: Holder, reason: str) -> Registration:
    """The society confirms on a holder's behalf and says why; the reason stays on record."""
    check_society(actor, registration.society, STAFF)
    if not reason.strip():
        raise Refusal("reason_needed", _("Say on what you base this, such as a letter of theirs."), pointer="/reason")
    held = _open(registration)
    return _confirmed(actor, held, held.shares.filter(holder=holder), reason=reason.strip()[:2000])


@transaction.atomic
def object_to(*, actor: Actor, registration: Registration, reason: str) -> Registration:
    """A holder who is named objects: that stops the registration, and everybody hears of it."""
    actor.require(PERMISSION)
    if not reason.strip():
        raise Refusal("reason_needed", _("Say what is wrong, so that it can be put right."), pointer="/reason")
    held = _open(registration)
    if not held.shares.filter(holder_id__in=actor.holder_ids).update(objection=reason.strip()[:2000]):
        raise NotFound(_("There is no such registration."))
    _end(held, Registration.Status.OBJECTED)
    _note(actor, "objected", held)
    everybody = {held.holder_id, *_others(held)}
    _tell(held, everybody, OBJECTED, "objected", actor, reason=reason.strip()[:2000])
    about: dict[str, Any] = {"kind": "registration", "route": "licensing:registration", "at": held.pk}
    facts = {"title": held.title, "reason": reason.strip()[:2000]}
    tell_staff(held.society_id, STAFF, OBJECTED, facts, key=f"registration-objected:{held.pk}", **about)
    return held


def _entered(
    actor: Actor,
    made: Registration,
    lines: Sequence[Named],
    identifiers: Sequence[str],
    valid_from: dt.date | None,
    unfound: bool,
    fields: dict[str, Any],
    what: str,
    said: Said,
) -> Registered:
    errors = Errors()
    for name in _FIELDS:
        setattr(made, name, str(fields.get(name, "") or "").strip())
    _check_fields(made, errors)
    wanted = {errors.value("identifiers", identifier_of, text) for text in identifiers if text.strip()}
    shares, unknown = _shares(actor, made, lines, valid_from, errors)
    errors.raise_any()
    if unknown and not unfound:
        detail = _("No member was found for: %(who)s. Look whether it is written right.") % {"who": ", ".join(unknown)}
        raise Refusal("unknown_holders", detail, pointer="/unfound")
    made.identifiers, made.valid_from = [list(each) for each in sorted(wanted)], valid_from
    check_free(made.society_id, wanted)
    made.save()
    RegistrationShare.objects.bulk_create([_of(made, share) for share in shares])
    _note(actor, what, made)
    _invite(made, unknown)
    if not made.shares.filter(confirmed_at=None).exists():
        _put_on_record(actor, made)
    else:
        waiting = made.shares.filter(confirmed_at=None).values_list("holder_id", flat=True)
        _tell(made, set(waiting), said, f"{what}:{timezone.now():%Y%m%d%H%M%S%f}", actor)
    return Registered(made, unknown)


def _of(made: Registration, share: RegistrationShare) -> RegistrationShare:
    share.registration = made
    return share


def _check_fields(made: Registration, errors: Errors) -> None:
    if made.kind not in terms.KINDS:
        errors.add("kind", _("Choose one of: %(known)s.") % {"known": ", ".join(terms.KINDS)})
    if made.published and not _PUBLISHED.fullmatch(made.published):
        errors.add("published", _("Write it as 2026, 2026-01 or 2026-01-31."))
    try:
        made.clean_fields(
            exclude=["society", "holder", "kind", "status", "work", "identifiers", "valid_from", "ended_at"]
        )
    except ValidationError as invalid:
        for field, messages in invalid.message_dict.items():
            errors.add(field, " ".join(messages))


def _shares(
    actor: Actor, made: Registration, lines: Sequence[Named], valid_from: dt.date | None, errors: Errors
) -> tuple[list[RegistrationShare], tuple[str, ...]]:
    """The shares of members, in parts per million; and who of those named is none. All of them together are the whole at most."""
    if len(lines) > MOST_LINES:
        errors.add("lines", _("At most %(most)s shares can be registered here.") % {"most": MOST_LINES})
        return [], ()
    found: list[tuple[Holder | None, Part, Named]] = []
    for row, line in enumerate(lines):
        stated = errors.value(f"lines/{row}", parse_share, line.share.strip()[:40])
        if len(line.role.strip()) > 20 or len(line.who) > 300:
            errors.add(f"lines/{row}", _("The value is too long."))
        elif stated is not None:
            holder = made.holder if not line.who.strip() else _looked_up(actor, made.society_id, line.who)
            name = holder.ref if holder else f"?{row}"
            found.append((holder, Part(name, line.role.strip(), stated, valid_from), line))
            _check_once(found, row, errors)
    if not any(holder and holder.pk == made.holder_id for holder, _part, _line in found) and not errors.found:
        errors.add("lines/0", _("Enter your own share first."))
    if sum(part.stated.part for _holder, part, _line in found) > 1:
        errors.add("lines", _("Together these shares are more than the whole work."))
    now = timezone.now()
    shares = [
        RegistrationShare(
            holder=holder, role=part.role, ppm=ppm, stated=line.share.strip()[:40],
            confirmed_at=now if holder.pk in {made.holder_id, *actor.holder_ids} else None,
        )
        for (holder, part, line), ppm in zip(found, ppm_of([part for _h, part, _l in found]) if found else [], strict=True)
        if holder
    ]  # fmt: skip
    return shares, tuple(line.who.strip() for holder, _part, line in found if holder is None)


def _looked_up(actor: Actor, society_id: int, who: str) -> Holder | None:
    limit("co-holder", f"user:{actor.user_id or actor.id}", most=MOST_LOOK_UPS, seconds=AN_HOUR)
    return find_member(society_id, who)


def _check_once(found: list[tuple[Holder | None, Part, Named]], row: int, errors: Errors) -> None:
    holder, part, _line = found[-1]
    if holder and any(other == holder and before.role == part.role for other, before, _l in found[:-1]):
        errors.add(f"lines/{row}", _("This holder has a share in this role already. Enter it once."))


def _invite(made: Registration, unknown: Sequence[str]) -> None:
    """Those who were named by e-mail address and are no members hear how to join; that is all that happens to them."""
    for who in unknown:
        if "@" not in who:
            continue
        try:
            limit("co-holder-letter", who.casefold(), most=3, seconds=24 * AN_HOUR)
            send_letter(
                email=who, language=get_language() or "en", key=f"registration-join:{made.pk}:{who.casefold()}",
                subject=_("%(holder)s registers a work with you") % {"holder": made.holder},
                body=_("To have your share of “%(title)s” put on record, join the society: %(society)s.")
                % {"title": made.title, "society": made.society},
                link="/join/",
            )  # fmt: skip
        except Refusal:
            continue  # no address, or asked too often: the share is left unrecorded all the same


def _confirmed(actor: Actor, held: Registration, shares: Any, **data: str) -> Registration:
    if not shares.exists():
        raise NotFound(_("There is no such registration."))
    holders = sorted(set(shares.values_list("holder__ref", flat=True)))
    if shares.filter(confirmed_at=None).update(confirmed_at=timezone.now()):
        for ref in holders:
            _note(actor, "share_confirmed", held, holder=ref, **data)
    if not held.shares.filter(confirmed_at=None).exists():
        _put_on_record(actor, held)
    return held


def _put_on_record(actor: Actor, held: Registration) -> None:
    """Make the work, its identifiers and its shares, and end the registration: all of it or nothing."""
    serialised(held.society)
    wanted = {(scheme, value) for scheme, value in held.identifiers}
    check_free(held.society_id, wanted)
    told = {name: getattr(held, name) for name in _FIELDS}
    work = saved(actor, "work", Work(society_id=held.society_id, ref=_free_ref(held), **told), held.society)
    Identifier.objects.bulk_create(
        [Identifier(society_id=held.society_id, work=work, scheme=s, value=v) for s, v in sorted(wanted)]
    )
    valid = DateRange(held.valid_from, None)
    shares = list(held.shares.select_related("holder").order_by("pk"))
    Share.objects.bulk_create(
        [Share(work=work, holder=s.holder, role=s.role, ppm=s.ppm, stated=s.stated, valid=valid) for s in shares]
    )
    record(
        actor=actor,
        verb="work.shares_set",
        object=Reference("work", work.pk),
        organisation_id=held.society_id,
        data={"ref": work.ref, "shares": [f"{s.holder.ref} {s.role} {s.stated}" for s in shares]},
    )
    _end(held, Registration.Status.CONFIRMED, work=work)
    _note(actor, "confirmed", held, ref=work.ref)
    _tell(held, {held.holder_id, *_others(held)}, CONFIRMED, "confirmed", actor)


def _free_ref(held: Registration) -> str:
    """R- and the registration's number; with a mark behind where a file brought that reference."""
    ref = f"R-{held.pk}"
    while Work.objects.filter(society_id=held.society_id, ref=ref).exists():
        ref += "x"
    return ref


def check_free(society_id: int, wanted: set[Any]) -> None:
    """Raise Conflict where an identifier names a work of the society already."""
    for scheme, value in sorted(wanted):
        if Identifier.objects.filter(society_id=society_id, scheme=scheme, value=value).exists():
            detail = _("%(identifier)s names a work on record already.") % {"identifier": f"{scheme}:{value}"}
            raise Conflict("identifier_taken", detail, pointer="/identifiers")


def _locked(registration: Registration) -> Registration:
    """The registration as it is now; others wait until this transaction ends."""
    rows = Registration.objects.select_for_update(of=("self",))
    return rows.select_related("holder", "society").get(pk=registration.pk)


def _open(registration: Registration) -> Registration:
    held = _locked(registration)
    if held.status != Registration.Status.OPEN:
        raise Conflict("registration_is_over", _("This registration is over: nothing more can be done with it."))
    return held


def _end(held: Registration, status: str, **fields: Any) -> None:
    """Compare and set."""
    fields |= {"status": status, "ended_at": timezone.now()}
    if Registration.objects.filter(pk=held.pk, status=Registration.Status.OPEN).update(**fields) != 1:
        raise Conflict("registration_is_over", _("This registration is over: nothing more can be done with it."))
    for name, value in fields.items():
        setattr(held, name, value)


def _check_registrant(actor: Actor, holder: Holder) -> None:
    if holder.pk not in actor.holder_ids:
        raise NotFound(_("There is no such holder."))
    actor.require(PERMISSION)


def _others(held: Registration) -> set[int]:
    return set(held.shares.exclude(holder_id=held.holder_id).values_list("holder_id", flat=True))


def _tell(held: Registration, holder_ids: set[int], said: Said, what: str, actor: Actor, **facts: str) -> None:
    facts |= {"title": held.title, "holder": str(held.holder)}
    tell_holders(
        holder_ids, said, facts, but_not=actor.user_id, key=f"registration-{what}:{held.pk}", kind="registration",
        route="licensing:registration", at=held.pk,
    )  # fmt: skip


def _note(actor: Actor, what: str, held: Registration, **data: str) -> None:
    record(
        actor=actor,
        verb=f"registration.{what}",
        object=Reference("registration", held.pk),
        organisation_id=held.society_id,
        data=data,
    )
