"""Who may do what with payment details: the society's people by their role, a holder's representative with their own."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.access.core import REPRESENTATIONS
from accounts.identity.core import Actor, Forbidden, NotFound
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder, Representation
from royalties.payees.models import Payee, PayeeDetails

MANAGE, OWN = "payees.manage", "payees.own"
MONEY_SCOPES = tuple(scope for scope, allowed in REPRESENTATIONS.items() if OWN in allowed)


def enter(actor: Actor, society: Organisation, permission: str = MANAGE) -> None:
    """Raise NotFound to strangers, Forbidden to those whose role lacks the permission."""
    if not actor.is_system and not (actor.is_society and actor.organisation_id == society.pk):
        raise NotFound(_("There is no such society."))
    if society.kind != Organisation.Kind.SOCIETY:
        raise NotFound(_("%(ref)s is not a society.") % {"ref": society.ref})
    actor.require(permission)


def acts_for_money(actor: Actor, holder_id: int | None) -> bool:
    """Whether this person may say where this holder is paid: a delegate for the catalogue of one may not."""
    if holder_id is None or actor.user_id is None or holder_id not in actor.holder_ids or not actor.can(OWN):
        return False
    return Representation.objects.filter(user_id=actor.user_id, holder_id=holder_id, scope__in=MONEY_SCOPES).exists()


def may_ask(actor: Actor, society: Organisation, holder: Holder | None) -> bool:
    """Let in who may ask for other details; True where it is for the holder. Raises NotFound, Forbidden."""
    if actor.is_system or actor.is_society:
        enter(actor, society)
        return False
    if holder is None or holder.pk not in actor.holder_ids:
        raise NotFound(_("There is no such holder."))
    if not acts_for_money(actor, holder.pk):
        raise Forbidden(_("You may not change where this holder is paid. Ask the holder for a delegation for finance."))
    return True


def own_payee(actor: Actor, payee_id: int) -> Payee:
    found = Payee.objects.visible_to(actor).select_related("society", "holder").filter(pk=payee_id).first()
    if found is None:
        raise NotFound(_("There is no such payee."))
    return found


def own_details(actor: Actor, details_id: int) -> PayeeDetails:
    """The version as stored now, of a payee that this actor sees."""
    mine = PayeeDetails.objects.visible_to(actor).select_related("payee__holder", "payee__society")
    found = mine.filter(pk=details_id).first()
    if found is None:
        raise NotFound(_("There are no such payment details."))
    return found
