"""Where a payee is paid: asked for by the holder or the society, approved by a second person, used after a cooling-off time."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, Reference, Refusal, gettext_noop
from accounts.organisations.models import Organisation
from licensing.repertoire.importing.holders import TAX_STATUSES, countries
from licensing.repertoire.models import Holder, Representation
from royalties.payees import keys
from royalties.payees.core import Account, BadAccount, account_from
from royalties.payees.models import Payee, PayeeDetails
from royalties.payees.services import telling
from royalties.payees.services.guards import MANAGE, acts_for_money, enter, may_ask, own_details
from royalties.payees.services.terms import cooling_off

KIND = "payee_details"
RESIDENT_ABROAD = gettext_noop("somebody who is taxed in Korea is not outside Korea")
RESIDENT_AT_HOME = gettext_noop("this tax status is for those who are taxed in Korea")
ORGANISATION_AS_PERSON = gettext_noop("an organisation has no business or other income of a person")
PERSON_AS_ORGANISATION = gettext_noop("a person is no organisation")


@transaction.atomic
def payee_of(holder: Holder) -> Payee:
    """The holder as somebody who is paid; made when first needed."""
    return Payee.objects.get_or_create(holder=holder, defaults={"society_id": holder.society_id})[0]


@transaction.atomic
def add_third_party(*, actor: Actor, society: Organisation, name: str) -> Payee:
    """Somebody else to whom a holder's money goes: a creditor, an heir, a company. Their details are asked for like a holder's."""
    enter(actor, society)
    if not name.strip():
        raise Refusal("name_needed", _("Say who is to be paid."), pointer="/name")
    made = Payee.objects.create(society=society, name=name.strip()[:300])
    record(actor=actor, verb="payee.added", object=Reference("payee", made.pk), organisation_id=society.pk)
    return made


@transaction.atomic
def request_details(
    *,
    actor: Actor,
    payee: Payee,
    account: str = "",
    bank: str = "",
    bic: str = "",
    holder_name: str = "",
    residence: str = "",
    tax_status: str = "",
    currency: str = "",
) -> PayeeDetails:
    """Ask for other details. They are checked, sealed, and wait for a second person; everyone who acts for the holder is told.

    Asking again replaces what waits. What is used now stays in use until the new details are approved and their time is over.
    Raises Refusal with an error for each bad field.
    """
    by_holder = may_ask(actor, payee.society, payee.holder)
    residence, tax_status, currency = residence.strip().upper(), tax_status.strip().lower(), currency.strip().upper()
    errors = status_errors(residence, tax_status, payee.holder)
    number: Account | None = None
    try:
        if account.strip():
            number = account_from(
                account=account, bank=bank, bic=bic, holder_name=holder_name.strip()[:140], residence=residence
            )
        else:
            errors.append(_error("account", _("Enter the account number or IBAN.")))
    except BadAccount as bad:
        errors.append(_error(bad.column, _(bad.reason)))
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        errors.append(_error("currency", _("Write a currency as three letters, such as KRW.")))
    if errors:
        raise Refusal("invalid_details", errors[0]["detail"], pointer=errors[0]["pointer"], errors=errors)
    Payee.objects.select_for_update(no_key=True).get(
        pk=payee.pk
    )  # versions of a payee are numbered one after the other
    _replace_waiting(payee, currency)
    made = _make(actor, payee, number, by_holder, residence=residence, tax_status=tax_status, currency=currency)
    data = {"payee": payee.pk, "version": made.version, "currency": currency}
    record(
        actor=actor,
        verb="payee.requested",
        object=Reference(KIND, made.pk),
        organisation_id=payee.society_id,
        data=data,
    )
    if actor.kind == "user":
        ask_approval(actor=actor, details=made)
    telling.tell_of_change(made, but_not=actor.user_id if by_holder else None)
    return made


@transaction.atomic
def ask_approval(*, actor: Actor, details: PayeeDetails) -> Approval:
    """Ask a second person of the society to approve this version; who asks cannot approve."""
    may_ask(actor, details.payee.society, details.payee.holder)
    if details.status != PayeeDetails.Status.REQUESTED:
        raise Conflict("details_are_decided", _("These payment details are decided already."))
    return request_approval(
        actor=actor,
        kind=KIND,
        object=Reference(KIND, details.pk),
        organisation_id=details.society_id,
        subject_sha256=subject(details),
    )


@transaction.atomic
def decide_details(*, actor: Actor, details: PayeeDetails, approve: bool, reason: str = "") -> PayeeDetails:
    """Approve or refuse, as another person than the one who asked. Approved, they are used once the cooling-off time is over."""
    held = own_details(actor, details.pk)
    actor.require(MANAGE)
    approval = Approval.objects.pending().about(KIND, held.pk).filter(kind=KIND).first()
    if approval is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for this approval, or it is decided. Look again."))
    if _is_paid_by(actor, held.payee):
        raise Forbidden(
            _("You are paid by these details yourself. Somebody else has to decide."), code="second_person_needed"
        )
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=subject(held))
    now = timezone.now()
    change: dict[str, Any] = {"decided_by_id": actor.user_id, "decided_at": now, "reason": reason[:500]}
    if approve:
        change |= {"status": "approved", "usable_from": now + cooling_off(held.society_id)}
    else:
        change |= {"status": "refused", "closed_at": now}
    _move(held, PayeeDetails.Status.REQUESTED, **change)
    data = {"payee": held.payee_id, "version": held.version, "reason": reason}
    verb = "payee.approved" if approve else "payee.refused"
    record(actor=actor, verb=verb, object=Reference(KIND, held.pk), organisation_id=held.society_id, data=data)
    telling.tell_of_decision(held)
    return held


@transaction.atomic
def object_to(*, actor: Actor, details: PayeeDetails, reason: str = "") -> PayeeDetails:
    """Stop a change that the holder did not ask for. It is never used; what was used before stays in use."""
    held = own_details(actor, details.pk)
    if not (actor.is_system or acts_for_money(actor, held.payee.holder_id) or (actor.is_society and actor.can(MANAGE))):
        raise Forbidden(_("Only who acts for the holder, or the society, can stop this change."))
    return stop(actor=actor, details=held, reason=reason)


@transaction.atomic
def stop(*, actor: Actor, details: PayeeDetails, reason: str = "") -> PayeeDetails:
    """`object_to`, for whoever holds the link that was sent to the holder's address."""
    now = timezone.now()
    open_ones = PayeeDetails.objects.filter(pk=details.pk, status__in=("requested", "approved"))
    if open_ones.update(status="objected", closed_at=now, reason=reason[:500]) != 1:
        raise Conflict("details_are_closed", _("This change was stopped or refused already."))
    Approval.objects.pending().about(KIND, details.pk).filter(kind=KIND).delete()
    details.refresh_from_db()
    data = {"payee": details.payee_id, "version": details.version, "reason": reason[:500]}
    record(
        actor=actor,
        verb="payee.objected",
        object=Reference(KIND, details.pk),
        organisation_id=details.society_id,
        data=data,
    )
    telling.tell_staff_of_objection(details)
    return details


def subject(details: PayeeDetails) -> str:
    """The digest of what is approved: this version, whose content cannot change."""
    said = [
        details.pk, details.payee_id, details.version, details.currency, details.residence, details.tax_status, details.kind,
        details.last4, details.requested_at.isoformat(),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()


def status_errors(residence: str, tax_status: str, holder: Holder | None) -> list[dict[str, Any]]:
    """What does not fit together in residence and tax status, by field."""
    errors = []
    if residence not in countries():
        errors.append(_error("residence", _("Write the country where you are taxed as two letters, such as KR.")))
    if tax_status not in TAX_STATUSES:
        errors.append(_error("tax_status", _("Choose one of: %(known)s.") % {"known": ", ".join(TAX_STATUSES)}))
    elif reason := misfit(residence, tax_status, holder.kind if holder else ""):
        errors.append(_error("tax_status", _(reason)))
    return errors


def misfit(residence: str, tax_status: str, kind: str) -> str:
    """Why a tax status cannot be that of somebody who lives there; empty where it can. A fixed phrase."""
    if tax_status == "non_resident" and residence == "KR":
        return RESIDENT_ABROAD
    if tax_status.startswith("kr_") and residence and residence != "KR":
        return RESIDENT_AT_HOME
    if kind == Holder.Kind.ORGANISATION and tax_status in ("kr_business", "kr_other"):
        return ORGANISATION_AS_PERSON
    if kind == Holder.Kind.PERSON and tax_status == "kr_organisation":
        return PERSON_AS_ORGANISATION
    return ""


def _is_paid_by(actor: Actor, payee: Payee) -> bool:
    """Whether this person acts for the payee, in whatever capacity they are here now."""
    if actor.user_id is None or payee.holder_id is None:
        return False
    return Representation.objects.filter(user_id=actor.user_id, holder_id=payee.holder_id).exists()


def _error(field: str, detail: str) -> dict[str, Any]:
    return {"pointer": f"/{field}", "code": "invalid", "detail": detail}


def _make(actor: Actor, payee: Payee, number: Account | None, by_holder: bool, **said: str) -> PayeeDetails:
    version = (payee.details.aggregate(last=Max("version"))["last"] or 0) + 1
    key = keys.current()
    try:
        with transaction.atomic():
            return PayeeDetails.objects.create(
                society_id=payee.society_id, payee=payee, version=version, kind=number.kind if number else "",
                last4=number.last4 if number else "", sealed=keys.seal(number, payee_id=payee.pk, version=version, key=key),
                key_id=key.id, fingerprint=keys.fingerprint(number, (said["residence"], said["tax_status"]), key),
                by_holder=by_holder, requested_by_id=actor.user_id, requested_at=timezone.now(), **said,
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("details_changed", _("Somebody changed these details at the same moment. Look again.")) from None


def _replace_waiting(payee: Payee, currency: str) -> None:
    """What waited for approval gives way: nobody can approve it any more."""
    waiting = PayeeDetails.objects.filter(payee=payee, currency=currency, status=PayeeDetails.Status.REQUESTED)
    gone = list(waiting.values_list("pk", flat=True))
    waiting.update(status="withdrawn", closed_at=timezone.now())
    Approval.objects.pending().filter(kind=KIND, object_kind=KIND, object_id__in=[str(pk) for pk in gone]).delete()


def _move(details: PayeeDetails, expected: str, **change: Any) -> None:
    """Compare and set: of two decisions at once one is made."""
    if PayeeDetails.objects.filter(pk=details.pk, status=expected).update(**change) != 1:
        raise Conflict("details_changed", _("These payment details changed meanwhile. Look again."))
    details.refresh_from_db()
