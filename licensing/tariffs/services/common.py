"""What every step of the procedure shares: who may take it, on which version, and the evidence that it was taken."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access.models import Membership
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.reading import BadDocument

LONGEST_REASONS: Final = 20_000  # characters
# What changes the order in which a text is read, or hides in it: never part of what somebody has to say.
_UNSEEN: Final = {
    ord(c): None for c in "\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
}


def check_society(actor: Actor, society: Organisation) -> None:
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal(
            "not_a_society", _("“%(ref)s” is not a society: only societies have tariffs.") % {"ref": society.ref}
        )
    actor.require("tariffs.manage")
    if not actor.is_system and actor.organisation_id != society.pk:
        raise Forbidden(_("A tariff is proposed by the society itself."))


def check_rate_body(body: Organisation, society: Organisation) -> None:
    if body.kind != Organisation.Kind.RATE_BODY or body.pk == society.pk:
        raise Refusal(
            "not_a_rate_body", _("“%(ref)s” is not a rate body, so it cannot determine tariffs.") % {"ref": body.ref}
        )


def check_not_its_staff(actor: Actor, society: Organisation) -> None:
    """Who acts for a rate body is not on the staff of the society that proposed, in whatever capacity they act now."""
    if Membership.objects.filter(user_id=actor.user_id or 0, organisation=society).exists():
        raise Forbidden(_("You are on the staff of the society that proposed it. Leave the decision to a colleague."))


def held(version: TariffVersion) -> TariffVersion:
    """The version as it is now, its tariff held until the end of the transaction: one step on a tariff at a time.

    Who only refers to the tariff, such as a new licence, does not wait (`no_key`).
    """
    with transaction.atomic():
        Tariff.objects.select_for_update(no_key=True).filter(pk=version.tariff_id).first()
        found = TariffVersion.objects.select_related("tariff__society", "addressed_to").filter(pk=version.pk).first()
    if found is None:
        raise NotFound(_("There is no such version: its society has discarded the draft."))
    return found


def move(version: TariffVersion, before: tuple[str, ...], after: str, **fields: Any) -> bool:
    """One transition by compare-and-set; whether it was made."""
    rows = TariffVersion.objects.filter(pk=version.pk, status__in=before)
    return rows.update(status=after, **fields) == 1


def already_decided() -> Conflict:
    return Conflict("already_decided", _("This version was decided before. Propose a new version to change it."))


def parsed(document: Any) -> core.Schedule:
    """The document's schedule; what is wrong with it is said in the reader's language."""
    try:
        return core.parse(document)
    except BadDocument as bad:
        raise bad.translated(_) from None


def said(text: str, *, pointer: str, most: int = LONGEST_REASONS) -> str:
    """A text as it is kept: without marks that nobody sees and control characters, and not too long."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNSEEN)
    plain = "".join(c for c in plain if c in "\n\t" or (ord(c) >= 32 and not 127 <= ord(c) < 160)).strip()
    if len(plain) > most:
        raise Refusal("too_long", _("At most %(most)s characters are allowed here.") % {"most": most}, pointer=pointer)
    return plain


def note(actor: Actor, what: str, version: TariffVersion, **data: Any) -> None:
    tariff = version.tariff
    record(
        actor=actor,
        verb=f"tariff_version.{what}",
        object=Reference("tariff_version", version.pk),
        organisation_id=tariff.society_id,
        data={"tariff": tariff.ref, "version": version.version, **data},
    )
