"""Mandates by signature: the words that are signed, the signature, and taking a mandate back with notice."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import terms as words
from licensing.intake.importing import check_society
from licensing.permissions.core.notice import first_day_without
from licensing.permissions.models import Mandate, MandateSignature, MandateTerms
from licensing.permissions.services.mandates import ANYTHING, close, grant_mandate
from licensing.permissions.wording import uses_said
from licensing.repertoire.core import clean_name, same_name
from licensing.repertoire.models import Holder
from licensing.repertoire.services.telling import tell_holders, tell_staff

SIGN: Final = "mandates.sign"
MOST_TEXT: Final = 200_000
MOST_DAYS: Final = 3660
LANGUAGES: Final = ("en", "ko")

SIGNED: Final = (gettext_noop("%(holder)s signed a mandate: %(uses)s"), "")
TAKEN_BACK: Final = (
    gettext_noop("%(holder)s takes a mandate back: %(uses)s"),
    gettext_noop("The first day without it is %(day)s."),
)
ON_RECORD: Final = (
    gettext_noop("Your mandate is on record: %(uses)s"),
    gettext_noop("Your society may license these uses from %(day)s on. You can take the mandate back at any time."),
)


@transaction.atomic
def set_terms(
    *,
    actor: Actor,
    society: Organisation,
    text: str,
    text_ko: str = "",
    notice_days: int = 0,
    notice_to: str = MandateTerms.NoticeTo.DAY,
    valid_from: dt.date,
) -> MandateTerms:
    """Lay down the words that members sign, as a new version; the same as the last version is that one."""
    check_society(actor, society, "mandates.manage")
    Organisation.objects.select_for_update().get(pk=society.pk)  # versions are numbered one after the other
    text, text_ko = _tidy(text), _tidy(text_ko)
    if not text or max(len(text), len(text_ko)) > MOST_TEXT:
        raise Refusal("bad_text", _("The terms are a text of 1 to 200,000 characters."), pointer="/text")
    if not 0 <= notice_days <= MOST_DAYS:
        raise Refusal("bad_notice", _("The notice is 0 to 3,660 days."), pointer="/notice_days")
    if notice_to not in MandateTerms.NoticeTo.values:
        known = ", ".join(MandateTerms.NoticeTo.values)
        raise Refusal("unknown_notice", _("Choose one of: %(known)s.") % {"known": known}, pointer="/notice_to")
    fields = {
        "sha256": hashlib.sha256(f"{text}\n\n{text_ko}".encode()).hexdigest(),
        "notice_days": notice_days,
        "notice_to": notice_to,
        "valid_from": valid_from,
    }
    last = MandateTerms.objects.filter(society=society).order_by("-version").first()
    if last and all(getattr(last, name) == value for name, value in fields.items()):
        return last
    version = (MandateTerms.objects.filter(society=society).aggregate(last=Max("version"))["last"] or 0) + 1
    made = MandateTerms.objects.create(society=society, version=version, text=text, text_ko=text_ko, **fields)
    record(
        actor=actor,
        verb="mandate_terms.set",
        object=Reference("mandate_terms", made.pk),
        organisation_id=society.pk,
        data={"version": version, "sha256": made.sha256, "valid from": valid_from.isoformat()},
    )
    return made


def terms_in_force(society_id: int, day: dt.date) -> MandateTerms | None:
    """The newest version that applies on this day."""
    found = MandateTerms.objects.filter(society_id=society_id, valid_from__lte=day)
    return found.order_by("-valid_from", "-version").first()


def document(
    *,
    terms: MandateTerms,
    holder_ref: str,
    name: str,
    use: str,
    kinds: Collection[str],
    territory: Collection[str],
    since: dt.date,
    language: str,
) -> str:
    """What is signed, to the letter: the terms and, in codes that no translation changes, who signs what.

    It is made again from what is on record at any time, so its digest can be checked by anybody who has it.
    """
    text = terms.text_ko if language == "ko" and terms.text_ko else terms.text
    facts = {
        "society": terms.society.ref,
        "terms": f"version {terms.version}, sha256 {terms.sha256}",
        "holder": holder_ref,
        "signed by": name,
        "use": use,
        "kinds": " ".join(sorted(kinds)),
        "territory": " ".join(sorted(territory)),
        "from": since.isoformat(),
    }
    return text + "\n\n--\n" + "".join(f"{key}: {value}\n" for key, value in facts.items())


def document_of(signature: MandateSignature) -> str:
    """The document of a signature, once more."""
    mandate = signature.mandate
    return document(
        terms=signature.terms,
        holder_ref=mandate.holder.ref,
        name=signature.typed_name,
        use=mandate.uses[0],
        kinds=mandate.kinds,
        territory=mandate.territory,
        since=mandate.valid.lower,
        language=signature.language,
    )


@transaction.atomic
def sign(
    *,
    actor: Actor,
    holder: Holder,
    terms: MandateTerms,
    uses: Sequence[str],
    typed_name: str,
    language: str,
    kinds: Collection[str] = ANYTHING,
    territory: Collection[str] = ANYTHING,
    since: dt.date | None = None,
) -> list[MandateSignature]:
    """Give the society a mandate for each of these uses, signed by typing the holder's name as it is on record.

    One mandate a use, so that each can be taken back alone. The same signature again gives those that exist.
    """
    if holder.pk not in actor.holder_ids:
        raise NotFound(_("There is no such holder."))
    actor.require(SIGN)
    today = timezone.localdate()
    since = since or today
    in_force = terms_in_force(holder.society_id, today)
    if in_force is None or terms.pk != in_force.pk:
        raise Conflict("terms_changed", _("The terms have changed meanwhile. Read them again, then sign."))
    if not uses or any(use not in words.USES for use in uses):
        raise Refusal("no_use", _("Tick at least one use."), pointer="/uses")
    if since < today:
        raise Refusal("past", _("A mandate begins today or later."), pointer="/since")
    if not (same_name(typed_name, holder.name) or same_name(typed_name, holder.name_ko)):
        detail = _("This is not the name on record: %(name)s.") % {"name": holder.name_ko or holder.name}
        raise Refusal("other_name", detail, pointer="/typed_name")
    language = language if language in LANGUAGES else "en"
    made = [
        _signed(actor, holder, terms, use, clean_name(typed_name), language, kinds, territory, since)
        for use in words.USES
        if use in uses
    ]
    facts = {"holder": holder, "uses": _said(uses), "day": since}
    about: dict[str, Any] = {"key": f"mandate-signed:{made[0].pk}", "kind": "mandate"}
    tell_staff(
        holder.society_id, "mandates.manage", SIGNED, facts, route="royalties:mandate", at=made[0].mandate_id, **about
    )
    tell_holders([holder.pk], ON_RECORD, facts, route="licensing:my_mandates", **about)
    return made


def _signed(
    actor: Actor,
    holder: Holder,
    terms: MandateTerms,
    use: str,
    name: str,
    language: str,
    kinds: Collection[str],
    territory: Collection[str],
    since: dt.date,
) -> MandateSignature:
    mandate = grant_mandate(actor=actor, holder=holder, uses=[use], kinds=kinds, territory=territory, valid_from=since)
    text = document(
        terms=terms, holder_ref=holder.ref, name=name, use=use, kinds=mandate.kinds, territory=mandate.territory,
        since=since, language=language,
    )  # fmt: skip
    digest = hashlib.sha256(text.encode()).hexdigest()
    signature, new = MandateSignature.objects.get_or_create(
        mandate=mandate, document_sha256=digest,
        defaults={"terms": terms, "user_id": actor.user_id or 0, "typed_name": name, "language": language},
    )  # fmt: skip
    if new:
        record(
            actor=actor,
            verb="mandate.signed",
            object=Reference("mandate", mandate.pk),
            organisation_id=holder.society_id,
            data={"sha256": digest, "version": terms.version, "holder": holder.ref, "uses": [use]},
        )
    return signature


def earliest_end(mandate: Mandate, today: dt.date) -> dt.date:
    """The first day without a mandate that is taken back today: by the notice that was signed, else that in force now."""
    signature = mandate.signatures.select_related("terms").order_by("pk").first()
    terms = signature.terms if signature else terms_in_force(mandate.society_id, today)
    end = first_day_without(today, terms.notice_days, terms.notice_to) if terms else today + dt.timedelta(days=1)
    if mandate.valid.lower is not None:
        end = max(end, mandate.valid.lower + dt.timedelta(days=1))
    return end


@transaction.atomic
def take_back(*, actor: Actor, mandate: Mandate) -> Mandate:
    """A holder takes a mandate back: it ends on the earliest day that its notice allows."""
    if mandate.holder_id not in actor.holder_ids:
        raise NotFound(_("There is no such mandate."))
    actor.require(SIGN)
    today = timezone.localdate()
    on = earliest_end(mandate, today)
    if mandate.valid.upper is not None and mandate.valid.upper <= on:
        detail = _("This mandate ends on its own before notice could end it.")
        raise Conflict("ends_already", detail)
    ended = close(actor=actor, mandate=mandate, on=on)
    where = Reference("mandate", mandate.pk)
    data = {"on": on.isoformat(), "holder": mandate.holder.ref}
    record(actor=actor, verb="mandate.taken_back", object=where, organisation_id=mandate.society_id, data=data)
    facts = {"holder": mandate.holder, "uses": _said(mandate.uses), "day": on}
    tell_staff(
        mandate.society_id, "mandates.manage", TAKEN_BACK, facts,
        key=f"mandate-taken-back:{mandate.pk}", kind="mandate", route="royalties:mandate", at=mandate.pk,
    )  # fmt: skip
    return ended


def _said(uses: Collection[str]) -> Any:
    """The uses by name, in the language of whoever reads it."""
    return lazy(lambda: uses_said(uses), str)()


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
