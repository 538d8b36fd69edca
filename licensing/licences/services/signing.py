"""Both sides sign: an authorised person of each types their name under the digest; the second signature makes the licence."""

from __future__ import annotations

import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.licences.models import Licence, LicenceRequest, Offer, Signature
from licensing.licences.services import certificates, moving, telling
from licensing.licences.services.common import note, note_request, refuse_test
from licensing.licences.services.following import check_before
from licensing.licences.services.offering import check_quote, closed, locked
from licensing.licences.services.requests import check_term_to_come, move_request

SIGN: Final = "licences.sign"
LANGUAGES: Final = ("en", "ko")
_LONGEST: Final = {"typed_name": 300, "capacity": 200}
_OTHER: Final = {Signature.Side.SOCIETY: Signature.Side.LICENSEE, Signature.Side.LICENSEE: Signature.Side.SOCIETY}


@transaction.atomic
def sign(*, actor: Actor, offer: Offer, typed_name: str, capacity: str, sha256: str, language: str = "en") -> Signature:
    """Sign an offer for one's side by typing one's name, under the digest that was shown. Either side signs first.

    The second signature puts the licence on record with its certificate, in the same transaction. The same person's
    signature again is the one that exists.
    """
    side = side_of(actor, offer.request)
    person = check_signer(actor)
    held = locked(offer)
    mine = held.signatures.filter(side=side, user_id=person).first()
    if mine is not None and held.status in (Offer.Status.OPEN, Offer.Status.SIGNED):
        return mine
    check_signable(held, sha256)
    if side == Signature.Side.SOCIETY and person == held.user_id:
        raise Forbidden(_("You made this offer, so another person signs it for the society."), code="same_person")
    if held.signatures.filter(user_id=person).exists():
        raise Forbidden(_("You signed for the other side. Another person signs for this one."), code="same_person")
    made = put_signature(held, side=side, user_id=person, typed_name=typed_name, capacity=capacity, language=language)
    note_request(actor, "licence_request.signed", held.request, side=side, sha256=held.sha256)
    if held.signatures.count() == 2:
        conclude(actor, held)
    else:
        _tell_other_side(held, side)
    return made


def side_of(actor: Actor, request: LicenceRequest) -> str:
    """The side for which the actor's organisation would sign. A stranger's offer is none."""
    if actor.organisation_id is None or not LicenceRequest.objects.visible_to(actor).filter(pk=request.pk).exists():
        raise NotFound(_("There is no such offer."))
    return Signature.Side.SOCIETY if actor.organisation_id == request.society_id else Signature.Side.LICENSEE


def check_signer(actor: Actor) -> int:
    """An authorised person, never a program: which user."""
    refuse_test(actor)
    if actor.kind != "user" or actor.user_id is None:
        raise Forbidden(_("Only a person signs, never a program."))
    actor.require(SIGN)
    return actor.user_id


def check_signable(held: Offer, sha256: str) -> None:
    """Whether this offer, as it was shown, can be signed today. Raises Conflict or Refusal."""
    if held.status != Offer.Status.OPEN:
        raise closed(held)
    if sha256.strip().lower() != held.sha256:
        raise Conflict(
            "other_document", _("This is not the document of the offer. Open the offer again, read it, then sign.")
        )
    check_quote(held.quote)
    if held.valid_to <= timezone.localdate():
        raise Conflict(
            "offer_ran_out",
            _("This offer ran out: %(last)s was its last day. The society can quote and offer again.")
            % {"last": telling.last_day(held.valid_to)},
        )
    check_term_to_come(held.request)
    check_before(held.request)


def put_signature(
    held: Offer,
    *,
    side: str,
    user_id: int,
    typed_name: str,
    capacity: str,
    language: str,
    signed_at: datetime.datetime | None = None,
) -> Signature:
    """Keep a signature on an offer that is held alone: the caller has asked who signs. `signed_at`: when, if not now."""
    said = tidy_signature(typed_name, capacity)
    request = held.request
    organisation_id = request.society_id if side == Signature.Side.SOCIETY else request.licensee_id
    try:
        with transaction.atomic():
            return Signature.objects.create(
                offer=held,
                side=side,
                user_id=user_id,
                organisation_id=organisation_id,
                language=language if language in LANGUAGES else "en",
                sha256=held.sha256,
                signed_at=signed_at or timezone.now(),
                **said,
            )
    except IntegrityError as error:
        if "offer_is_signed_once_a_side" not in str(error):
            raise
        raise Conflict("signed_already", _("Somebody has signed for your side already.")) from None


def conclude(actor: Actor, held: Offer) -> Licence:
    """Both sides have signed: the licence, its certificate, and the end of the licence that it amends. One transaction."""
    request, quote = held.request, held.quote
    before = _hold_before(request)
    licence = Licence.objects.create(
        ref=next_ref(request.society),
        society=request.society,
        licensee=request.licensee,
        tariff=request.tariff,
        uses=request.uses,
        kinds=request.kinds,
        territory=request.territory,
        ai_models=request.ai_models,
        datasets=request.datasets,
        valid=request.term,
        tier=quote.tier,
        conditions=held.conditions,
        status=Licence.Status.ACTIVE,
        succeeds=before,
    )
    if Offer.objects.filter(pk=held.pk, status=Offer.Status.OPEN).update(status="signed", licence=licence) != 1:
        raise closed(held)
    held.refresh_from_db(fields=["status", "licence"])
    move_request(request, (LicenceRequest.Status.OFFERED,), LicenceRequest.Status.LICENSED)
    data = {
        "request": request.ref,
        "licensee": request.licensee.ref,
        "tariff": request.tariff.ref,
        "sha256": held.sha256,
    }
    note(actor, "granted", licence, **data)
    if request.amends is not None:
        _cut(actor, request.amends, licence)
    certificate = certificates.issue(licence=licence, actor=actor)
    telling.tell_parties(licence, "signed", key=f"licence-signed:{licence.pk}")
    telling.publish_licence(
        licence, "licence.signed", key=f"licence.signed:{licence.pk}", request=request.ref, certificate=certificate.code
    )
    return licence


def next_ref(society: Organisation) -> str:
    """`<society>-L<year>-<n>`: one after the other, since the society is held while it is given out."""
    Organisation.objects.select_for_update(no_key=True).get(pk=society.pk)
    stem = f"{society.ref[:48]}-L{timezone.localdate().year}-"
    number = Licence.objects.filter(ref__startswith=stem).count() + 1
    while Licence.objects.filter(ref=f"{stem}{number}").exists():  # somebody granted one by this name by hand
        number += 1
    return f"{stem}{number}"


def _hold_before(request: LicenceRequest) -> Licence | None:
    """The licence that this one follows, held alone, so that no other comes to follow it meanwhile."""
    for how in ("amends", "renews"):
        if getattr(request, f"{how}_id") is not None:
            about = Licence.objects.select_for_update(of=("self",), no_key=True).select_related("society", "licensee")
            setattr(request, how, about.get(pk=getattr(request, f"{how}_id")))
            check_before(request)
            return getattr(request, how)
    return None


def _cut(actor: Actor, old: Licence, new: Licence) -> None:
    """The amended licence ends where its amendment begins. What was used before stays licensed."""
    if not moving.change(old, "amend", valid=DateRange(old.valid.lower, new.valid.lower)):
        raise Conflict(
            "licence_not_active",
            _("The licence %(ref)s changed meanwhile, so it cannot be amended like this.") % {"ref": old.ref},
        )
    old.refresh_from_db()
    note(actor, "amended", old, by=new.ref, until=new.valid.lower.isoformat())
    telling.tell_parties(old, "amended", key=f"licence-amended:{old.pk}", by=new.ref)
    telling.publish_licence(old, "licence.ended", key=f"licence.ended:{old.pk}", followed_by=new.ref)


def _tell_other_side(held: Offer, side: str) -> None:
    tell = telling.tell_society if _OTHER[Signature.Side(side)] == Signature.Side.SOCIETY else telling.tell_licensee
    key = f"licence-half-signed:{held.pk}"
    tell(held.request, "half_signed", key=key, permission=SIGN, **telling.offer_facts(held))


def tidy_signature(typed_name: str, capacity: str) -> dict[str, str]:
    """A name and a capacity as they are kept. Raises Refusal for what is no signature."""
    return {"typed_name": _tidy(typed_name, "typed_name"), "capacity": _tidy(capacity, "capacity")}


def _tidy(text: str, name: str) -> str:
    said = " ".join(text.split())
    if not said or len(said) > _LONGEST[name] or not said.isprintable():
        sentences = {
            "typed_name": _("Type your full name: it is your signature."),
            "capacity": _("Say in what capacity you sign, such as chief executive."),
        }
        raise Refusal(f"{name}_missing" if not said else f"bad_{name}", sentences[name], pointer=f"/{name}")
    return said
