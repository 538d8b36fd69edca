"""A firm asks a society for a licence: drafts its request, shows its size, submits it; it is declined or withdrawn."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import IO, Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing import refs, terms
from licensing.intake.services import keep
from licensing.licences import expected
from licensing.licences.models import Licence, LicenceRequest, Offer, RequestFile
from licensing.licences.services import telling
from licensing.licences.services.common import (
    REQUEST,
    check_licensee,
    check_party,
    check_society,
    checked_codes,
    checked_names,
    checked_territory,
    note_request,
    refuse_test,
    term,
    wrong_status,
)
from licensing.licences.services.following import check_before
from licensing.licences.services.granting import check_parties, check_tier
from licensing.licences.services.pricing import check_priced
from licensing.repertoire.services.joining import document_kind
from licensing.tariffs.models import Tariff
from licensing.tariffs.reading import BadDocument

Status = LicenceRequest.Status
MOST_FILES: Final = 20
MOST_TEXT: Final = 5_000
MEDIA_TYPES: Final = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
WITHDRAWABLE: Final = (Status.DRAFT, Status.SUBMITTED, Status.QUOTED, Status.OFFERED)
TAKING_FILES: Final = (Status.DRAFT, Status.SUBMITTED, Status.QUOTED)


@transaction.atomic
def ask(
    *,
    actor: Actor,
    society: Organisation,
    tariff: Tariff,
    uses: Collection[str],
    kinds: Collection[str] = (terms.ANY,),
    territory: Collection[str] = (terms.ANY,),
    ai_models: Collection[str] = (),
    datasets: Collection[str] = (),
    term_from: datetime.date,
    term_to: datetime.date | None = None,
    tier: str = "",
    tier_evidence: str = "",
    quantities: Sequence[Mapping[str, Any]] = (),
    bases: Mapping[str, int] | None = None,
    message: str = "",
    renews: Licence | None = None,
    amends: Licence | None = None,
    ref: str = "",
) -> LicenceRequest:
    """Begin a request: a draft, which only the firm sees. `term_to` is the first day after the term.

    `quantities` and `bases`: what the firm expects of one billing period. `renews` and `amends` name the licence that
    this one is to follow. `ref`: one that was given out before, with what was to be asked.
    """
    licensee = _asking(actor)
    if ref and not refs.is_ref(ref, REQUEST):
        raise Refusal("bad_ref", _("This is not the reference of a request. Begin again."), pointer="/ref")
    check_parties(society, licensee, tariff)
    if not Tariff.objects.visible_to(actor).filter(pk=tariff.pk).exists():  # a draft is the society's own
        raise NotFound(_("%(society)s has no tariff “%(ref)s”.") % {"society": society.ref, "ref": tariff.ref})
    wanted = _checked(
        uses=uses, kinds=kinds, territory=territory, ai_models=ai_models, datasets=datasets, term_from=term_from,
        term_to=term_to, tier=tier, tier_evidence=tier_evidence, quantities=quantities, bases=bases, message=message,
    )  # fmt: skip
    if renews is not None and amends is not None:
        detail = _("Name the licence that this one renews, or the one that it amends, not both.")
        raise Refusal("renews_and_amends", detail, pointer="/amends")
    for before in (renews, amends):
        if before is not None:
            _check_own(before, society, licensee)
    made = LicenceRequest.objects.create(
        ref=ref or refs.new_ref(REQUEST), society=society, licensee=licensee, tariff=tariff, renews=renews, amends=amends,
        user_id=actor.user_id, **wanted,
    )  # fmt: skip
    note_request(actor, "licence_request.drafted", made, tariff=tariff.ref)
    return made


@transaction.atomic
def revise(*, actor: Actor, request: LicenceRequest, **changes: Any) -> LicenceRequest:
    """Change a draft: any of what `ask` takes but the parties, the tariff and the licence before."""
    check_party(actor, request)
    check_licensee(actor, request)
    before: dict[str, Any] = {name: getattr(request, name) for name in _KEPT}
    before |= {"term_from": request.term.lower, "term_to": request.term.upper}
    wanted = _checked(**(before | changes))
    if LicenceRequest.objects.filter(pk=request.pk, status=Status.DRAFT).update(**wanted) != 1:
        request.refresh_from_db()
        raise wrong_status(request)
    request.refresh_from_db()
    return request


@transaction.atomic
def attach(*, actor: Actor, request: LicenceRequest, file: IO[bytes], name: str) -> RequestFile:
    """Add a paper that shows the size a firm claims: PDF, JPEG or PNG, told by its content. The same bytes again are one."""
    check_party(actor, request)
    check_licensee(actor, request)
    locked = LicenceRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if locked.status not in TAKING_FILES:
        raise wrong_status(locked)
    if locked.files.count() >= MOST_FILES:
        detail = _("A request takes at most %(most)s files.") % {"most": MOST_FILES}
        raise Refusal("too_many_files", detail, pointer="/file")
    try:
        ending = document_kind(file)
    except Refusal as bad:
        raise Refusal(bad.code, bad.detail, pointer="/file") from None
    stored = keep(actor=actor, stream=file, name=name or f"evidence.{ending}", organisation=locked.licensee)
    shown = {"name": stored.name[:200], "media_type": MEDIA_TYPES[ending]}
    made, new = RequestFile.objects.get_or_create(request=locked, file=stored, defaults=shown)
    if new:
        note_request(actor, "licence_request.file_added", locked, sha256=stored.sha256)
    return made


@transaction.atomic
def submit(*, actor: Actor, request: LicenceRequest) -> LicenceRequest:
    """Send the request to the society. From now on it is fixed; the society quotes it or declines it."""
    check_party(actor, request)
    check_licensee(actor, request)
    LicenceRequest.objects.select_for_update().get(pk=request.pk)  # what is checked is what is sent
    request.refresh_from_db()
    check_term_to_come(request, pointer="/term_from")
    if request.tier and not request.tier_evidence.strip() and not request.files.exists():
        raise Refusal(
            "evidence_missing",
            _("Say what shows the size of your firm, or add a paper that does, such as your accounts of last year."),
            pointer="/tier_evidence",
        )
    check_priced(request)
    check_before(request)
    now = timezone.now()
    moved = move_request(request, (Status.DRAFT,), Status.SUBMITTED, submitted_at=now)
    note_request(actor, "licence_request.submitted", moved, tariff=moved.tariff.ref, licensee=moved.licensee.ref)
    telling.tell_society(moved, "submitted", key=f"licence-request-submitted:{moved.pk}")
    return moved


@transaction.atomic
def withdraw(*, actor: Actor, request: LicenceRequest, reason: str = "") -> LicenceRequest:
    """The firm no longer asks. An open offer goes with it, until both sides have signed."""
    check_party(actor, request)
    check_licensee(actor, request)
    Offer.objects.select_for_update().filter(request=request, status=Offer.Status.OPEN).first()
    was_sent = request.submitted_at is not None
    moved = move_request(request, WITHDRAWABLE, Status.WITHDRAWN, reason=checked_text(reason, "/reason"))
    Offer.objects.filter(request=moved, status=Offer.Status.OPEN).update(status=Offer.Status.WITHDRAWN)
    note_request(actor, "licence_request.withdrawn", moved)
    if was_sent:
        telling.tell_society(moved, "withdrawn", key=f"licence-request-withdrawn:{moved.pk}")
    return moved


@transaction.atomic
def decline(*, actor: Actor, request: LicenceRequest, reason: str) -> LicenceRequest:
    """The society turns the request down, and says why."""
    check_party(actor, request)
    check_society(actor, request.society)
    if not reason.strip():
        raise Refusal("reason_missing", _("Say why, so that the firm can ask for something else."), pointer="/reason")
    said = checked_text(reason, "/reason")
    moved = move_request(request, (Status.SUBMITTED, Status.QUOTED), Status.DECLINED, reason=said)
    note_request(actor, "licence_request.declined", moved)
    telling.tell_licensee(moved, "declined", key=f"licence-request-declined:{moved.pk}")
    return moved


def move_request(request: LicenceRequest, before: Collection[str], after: str, **fields: Any) -> LicenceRequest:
    """One transition, by compare-and-set. Raises Conflict where the request stands elsewhere by now."""
    standing = LicenceRequest.objects.filter(pk=request.pk, status__in=before)
    moved = standing.update(status=after, moved_at=timezone.now(), **fields)
    request.refresh_from_db()
    if moved != 1:
        raise wrong_status(request)
    return request


def check_term_to_come(request: LicenceRequest, pointer: str | None = None) -> None:
    """Permission comes first: what is asked for and signed begins today or later."""
    if request.term.lower < timezone.localdate():
        raise Refusal(
            "term_begun",
            _("The term would begin on %(day)s, which has passed. A licence never begins before it is signed.")
            % {"day": request.term.lower},
            pointer=pointer,
        )


_KEPT: Final = (
    "uses", "kinds", "territory", "ai_models", "datasets", "tier", "tier_evidence", "quantities", "bases", "message",
)  # fmt: skip


def _checked(
    *, term_from: datetime.date, term_to: datetime.date | None, quantities: Any, bases: Any, **asked: Any
) -> dict[str, Any]:
    """What a firm asks for as the columns of a request. Raises Refusal with a pointer."""
    check_tier(asked["tier"])
    try:
        figures, named = expected.read([dict(row) for row in quantities], dict(bases or {}))
    except BadDocument as bad:
        raise bad.translated(_) from None
    wanted = {
        "uses": checked_codes(asked["uses"], terms.USES, "/uses"),
        "kinds": checked_codes(asked["kinds"], terms.KINDS, "/kinds"),
        "territory": checked_territory(asked["territory"]),
        "ai_models": checked_names(asked["ai_models"], "/ai_models"),
        "datasets": checked_names(asked["datasets"], "/datasets"),
        "term": term(term_from, term_to, "/term_to"),
        "tier": asked["tier"].strip(),
        "quantities": expected.as_rows(figures),
        "bases": named,
    }
    for name in ("tier_evidence", "message"):
        wanted[name] = checked_text(asked[name], f"/{name}")
    for n, each in enumerate(figures):
        if not terms.covers(wanted["uses"], each.use) or not terms.covers(wanted["kinds"], each.kind):
            raise Refusal(
                "not_asked_for",
                _("%(what)s: you do not ask for this use or this kind of work.") % {"what": each.said()},
                pointer=f"/quantities/{n}",
            )
    return wanted


def checked_text(text: str, pointer: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    if len(said) > MOST_TEXT or not said.replace("\n", "").replace("\t", "").isprintable():
        detail = _("At most %(most)s printable characters are allowed here.") % {"most": MOST_TEXT}
        raise Refusal("bad_text", detail, pointer=pointer)
    return said


def _asking(actor: Actor) -> Organisation:
    """The firm for which the actor asks."""
    refuse_test(actor)
    if not actor.is_licensee:
        raise Forbidden(_("Only the people of a firm ask for a licence."))
    actor.require("licences.request")
    return Organisation.objects.get(pk=actor.organisation_id or 0)


def _check_own(before: Licence, society: Organisation, licensee: Organisation) -> None:
    if before.licensee_id != licensee.pk or before.society_id != society.pk:
        raise NotFound(_("There is no such licence."))
