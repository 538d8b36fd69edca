"""Joining a society: somebody asks, its staff answer, and the document that was shown is let go of in time."""

from __future__ import annotations

import datetime as dt
from typing import IO, Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.intake.importing import check_society, serialised
from licensing.intake.services import keep, let_go
from licensing.repertoire.core import clean_name
from licensing.repertoire.identifiers import normalise
from licensing.repertoire.importing.holders import countries
from licensing.repertoire.models import Application, Holder, Representation
from licensing.repertoire.services.common import Errors, check_ref, saved
from licensing.repertoire.services.telling import tell_people, tell_staff

PERMISSION: Final = "membership.manage"
MOST_LIKE: Final = 20
# What a document begins with, and the ending of its name.
DOCUMENTS: Final = {b"%PDF-": "pdf", b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}
_FIELDS: Final = ("name", "name_ko", "kind", "country", "ipi", "isni", "creates")

_SAID: Final = {
    "submitted": (
        gettext_noop("%(name)s asks to become a member"),
        gettext_noop("Look at who they are, and accept or refuse."),
    ),
    "accepted": (
        gettext_noop("%(society)s has taken you in"),
        gettext_noop("You are a member now. Register your works, and choose which uses you allow."),
    ),
    "refused": (gettext_noop("%(society)s has answered your application"), "%(answer)s"),
}


@transaction.atomic
def apply(*, actor: Actor, society: Organisation, identity: IO[bytes], **fields: Any) -> Application:
    """Ask to become a member of a society, and show who one is (PDF, JPEG or PNG, told by its content).

    Raises Refusal with an error for each bad field, Conflict where an application to this society is open already.
    """
    person = _check_applicant(actor)
    if society.kind != Organisation.Kind.SOCIETY:
        raise NotFound(_("There is no such society."))
    if Representation.objects.filter(user_id=person, holder__society=society, scope="member").exists():
        raise Conflict("member_already", _("You are a member of this society already."))
    ending = document_kind(identity)
    made = Application(society=society, user_id=person)
    _fill(made, fields)
    made.identity = keep(actor=actor, stream=identity, name=f"identity.{ending}", organisation=society)
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "application_is_open_once" not in str(error):
            raise
        detail = _("You have asked to join already; the society will answer.")
        raise Conflict("application_is_open", detail) from None
    _note(actor, "submitted", made)
    tell_staff(
        made.society_id, PERMISSION, _SAID["submitted"], {"name": made.name},
        key=f"application-submitted:{made.pk}", kind="application", route="licensing:application", at=made.pk,
    )  # fmt: skip
    return made


def document_kind(stream: IO[bytes]) -> str:
    """`pdf`, `jpg` or `png` by what the document begins with; Refusal for anything else, nothing, or too much of it."""
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(0)
    begins = stream.read(16)
    stream.seek(0)
    if size > settings.IDENTITY_MAX_BYTES:
        most = settings.IDENTITY_MAX_BYTES // 1024**2
        detail = _("The document is too large: %(most)s MB at most. Take a smaller picture.") % {"most": most}
        raise Refusal("too_large", detail, pointer="/identity")
    for beginning, ending in DOCUMENTS.items():
        if begins.startswith(beginning):
            return ending
    raise Refusal("unknown_document", _("Send a PDF, or a picture as JPEG or PNG."), pointer="/identity")


@transaction.atomic
def withdraw(*, actor: Actor, application: Application) -> Application:
    """Take an application back; only who made it."""
    if actor.user_id is None or actor.user_id != application.user_id:
        raise NotFound(_("There is no such application."))
    return _decided(actor, application, Application.Status.WITHDRAWN)


@transaction.atomic
def accept(*, actor: Actor, application: Application, ref: str = "", answer: str = "") -> Application:
    """Make the applicant a member, under the next free reference or one that was entered, and let them act for it."""
    check_society(actor, application.society, PERMISSION)
    serialised(application.society)
    society, wanted = application.society, ref.strip()
    ref = wanted or next_ref(society)
    check_ref(ref, Holder.objects.filter(society=society, ref=ref).exists())
    told = {name: getattr(application, name) for name in _FIELDS if name != "creates"}
    holder = saved(actor, "holder", Holder(society=society, ref=ref, email=application.user.email, **told), society)
    linked = Representation.objects.create(user=application.user, holder=holder)
    record(
        actor=actor,
        verb="representation.set",
        object=Reference("representation", linked.pk),
        organisation_id=society.pk,
        data={"user": linked.user_id, "holder": ref, "scope": linked.scope},
    )
    made = _decided(actor, application, Application.Status.ACCEPTED, answer=answer, holder=holder)
    _tell_applicant(made, "accepted")
    return made


@transaction.atomic
def refuse(*, actor: Actor, application: Application, answer: str) -> Application:
    """Refuse an application, with an answer that the applicant reads."""
    check_society(actor, application.society, PERMISSION)
    if not answer.strip():
        raise Refusal("answer_needed", _("Tell the applicant why, and what they can do."), pointer="/answer")
    made = _decided(actor, application, Application.Status.REFUSED, answer=answer)
    _tell_applicant(made, "refused")
    return made


def look_alikes(application: Application) -> list[Holder]:
    """Members who may be the same person: of the same name (as written, in any case), number or address."""
    names = {name for name in (application.name, application.name_ko) if name}
    same = Q(email__iexact=application.user.email)
    for name in names:
        same |= Q(name__iexact=name) | Q(name_ko__iexact=name)
    for scheme in ("ipi", "isni"):
        if number := getattr(application, scheme):
            same |= Q(**{scheme: number})
    return list(Holder.objects.filter(same, society_id=application.society_id).order_by("ref")[:MOST_LIKE])


def next_ref(society: Organisation) -> str:
    """The next free reference of the form M-000123. The caller holds the society's lock."""
    numbered = Holder.objects.filter(society=society, ref__gte="M-000000", ref__lte="M-999999")
    last = numbered.filter(ref__regex=r"^M-[0-9]{6}$").order_by("-ref").values_list("ref", flat=True).first()
    number = int(last[2:]) + 1 if last else 1
    if number <= 999_999:
        return f"M-{number:06}"
    return f"M-{Holder.objects.filter(society=society).count() + 1}"


def note_identity_seen(*, actor: Actor, application: Application) -> None:
    """Looking at somebody's identity document leaves a trace."""
    check_society(actor, application.society, PERMISSION)
    with transaction.atomic():
        _note(actor, "identity_seen", application)


def let_go_of_identities(*, actor: Actor, now: dt.datetime) -> int:
    """Delete the documents of applications decided longer ago than the term of the settings; returns how many."""
    before = now - dt.timedelta(days=settings.IDENTITY_KEPT_DAYS)
    due = Application.objects.filter(identity__isnull=False, decided_at__lte=before).order_by("pk")
    gone = 0
    for pk in list(due.values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            held = Application.objects.select_for_update(of=("self",)).select_related("identity").get(pk=pk)
            stored = held.identity
            if stored is None:
                continue
            held.identity = None
            held.save(update_fields=["identity"])
            let_go(actor=actor, stored=stored)
            _note(actor, "identity_let_go", held)
            gone += 1
    return gone


def _check_applicant(actor: Actor) -> int:
    """Who asks: a person for themself."""
    if actor.kind != "user" or actor.user_id is None:
        raise Forbidden(_("A person asks to join. Sign in as yourself."))
    if actor.organisation_id is not None:
        raise Forbidden(_("You act for an organisation now. Switch to yourself on your profile page."))
    return actor.user_id


def _fill(made: Application, fields: dict[str, Any]) -> None:
    errors = Errors()
    for name in _FIELDS:
        text = str(fields.get(name, "") or "").strip()
        setattr(made, name, clean_name(text) if name in ("name", "name_ko") else text)
    for scheme in ("ipi", "isni"):
        if getattr(made, scheme):
            setattr(made, scheme, errors.value(scheme, normalise, scheme, getattr(made, scheme)) or "")
    made.kind, made.country = made.kind or Holder.Kind.PERSON, made.country.upper() or "KR"
    if made.country not in countries():
        errors.add("country", _("Write a country as two letters, such as KR."))
    try:
        made.clean_fields(exclude=["society", "user", "identity", "status", "holder", "decided_at"])
    except ValidationError as invalid:
        for field, said in invalid.message_dict.items():
            errors.add(field, " ".join(said))
    errors.raise_any()


def _decided(actor: Actor, application: Application, status: str, **fields: Any) -> Application:
    """Compare and set: of two decisions at once one counts."""
    fields = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    open_ = Application.objects.filter(pk=application.pk, status=Application.Status.SUBMITTED)
    if open_.update(status=status, decided_at=timezone.now(), **fields) != 1:
        raise Conflict("decided_already", _("This application was decided or withdrawn already."))
    application.refresh_from_db()
    _note(actor, status, application)
    return application


def _note(actor: Actor, what: str, application: Application) -> None:
    """Evidence without anything about the person."""
    record(
        actor=actor,
        verb=f"application.{what}",
        object=Reference("application", application.pk),
        organisation_id=application.society_id,
        data={"holder": application.holder.ref} if application.holder else {},
    )


def _tell_applicant(made: Application, what: str) -> None:
    facts = {"society": made.society, "answer": made.answer}
    tell_people(
        [made.user_id], _SAID[what], facts, key=f"application-{what}:{made.pk}", kind="application",
        route="licensing:applications",
    )  # fmt: skip
