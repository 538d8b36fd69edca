"""Tell a holder at once that somebody wants to pay them elsewhere: in the portal, by e-mail, and at the address that was there before."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from django.core import signing
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from accounts.identity.core import NotFound
from accounts.identity.models import User
from accounts.notices.services import send_letter
from licensing.repertoire.models import Representation
from licensing.repertoire.services.telling import tell_people, tell_staff
from royalties.payees.models import PayeeDetails, PayeeImport
from royalties.payees.services.guards import MANAGE, MONEY_SCOPES
from royalties.payees.services.terms import cooling_off

_SALT = "jeongsan.payee-objection"
GOOD_FOR = datetime.timedelta(days=180)

_CHANGE = (
    gettext_noop("Other payment details were asked for: %(holder)s"),
    gettext_noop(
        "From %(from)s the account ending in %(last4)s is to be used, once a second person at %(society)s has approved it. If "
        "neither you nor somebody who acts for you asked for this, stop it: nothing will be paid to that account."
    ),
)
_APPROVED = (
    gettext_noop("Payment details approved: %(holder)s"),
    gettext_noop("The account ending in %(last4)s is used from %(from)s. Until then you can still stop this."),
)
_REFUSED = (
    gettext_noop("Payment details refused: %(holder)s"),
    gettext_noop("%(society)s did not accept the account ending in %(last4)s: %(reason)s"),
)
_OBJECTED = (
    gettext_noop("A holder stopped a change of payment details: %(holder)s"),
    gettext_noop("The account ending in %(last4)s will not be used. Find out who asked for it: %(reason)s"),
)
_IMPORTED = (
    gettext_noop("Your society has put payment details on record for you"),
    gettext_noop(
        "Look at them under “My payment details”. If the account is not yours, stop the change there: nothing is paid to it then."
    ),
)


def tell_of_change(details: PayeeDetails, *, but_not: int | None = None) -> None:
    """Everyone who acts for the holder's money, and the address on record where nobody of them reads it.

    The person who asked is told too, unless it was the holder's own side: whoever took over their account would else hear
    of it alone. (Other representatives and the address on record are always told.)
    """
    holder = details.payee.holder
    if holder is None:
        return
    people = _people([holder.pk])
    key = f"payee-change:{details.pk}"
    facts = _facts(details)
    tell_people(people - {but_not}, _CHANGE, facts, key=key, kind="payee", route="royalties:my_payee")
    known = User.objects.filter(pk__in=people).values_list("email", flat=True)
    if holder.email and (but_not is not None or holder.email.lower() not in {email.lower() for email in known}):
        write_to_address(details, holder.email)


def write_to_address(details: PayeeDetails, email: str) -> None:
    """A letter with a link that stops the change, for who reads that address; it asks for no account here."""
    facts, country = _facts(details), details.payee.society.country
    language = "ko" if country == "KR" else "en"
    with override(language):
        subject, body = (_(text) % facts for text in _CHANGE)
    link = reverse("royalties:payee_stop", args=[stop_token(details)])
    send_letter(email=email, language=language, key=f"payee-change:{details.pk}", subject=subject, body=body, link=link)


def tell_of_decision(details: PayeeDetails) -> None:
    said = _APPROVED if details.status == PayeeDetails.Status.APPROVED else _REFUSED
    holder = details.payee.holder
    if holder is not None:
        key = f"payee-{details.status}:{details.pk}"
        tell_people(_people([holder.pk]), said, _facts(details), key=key, kind="payee", route="royalties:my_payee")


def tell_staff_of_objection(details: PayeeDetails) -> None:
    about = {"key": f"payee-objected:{details.pk}", "kind": "payee", "route": "royalties:payee", "at": details.payee_id}
    tell_staff(details.society_id, MANAGE, _OBJECTED, _facts(details), **about)


def tell_of_import(holder_ids: Iterable[int], import_id: int) -> None:
    """The same notice to everyone who acts for these holders' money, however many."""
    people = _people(holder_ids)
    tell_people(people, _IMPORTED, {}, key=f"payee-import:{import_id}", kind="payee", route="royalties:my_payee")


def tell_addresses_of_import(made: PayeeImport) -> None:
    """A letter, with a link that stops it, where an account that was there before changes and nobody who acts for the holder
    reads the address on record."""
    read = User.objects.filter(
        email__iexact=OuterRef("payee__holder__email"), pk__in=Representation.objects.filter(
            holder_id=OuterRef(OuterRef("payee__holder_id")), scope__in=MONEY_SCOPES).values("user_id"),
    )  # fmt: skip
    changed = PayeeDetails.objects.filter(made_by=made, version__gt=1).exclude(payee__holder__email="")
    for details in changed.exclude(Exists(read)).select_related("payee__holder", "payee__society").iterator(1_000):
        write_to_address(details, details.payee.holder.email if details.payee.holder else "")


def stop_token(details: PayeeDetails) -> str:
    return signing.dumps({"details": details.pk, "payee": details.payee_id}, salt=_SALT)


def details_of_token(token: str) -> PayeeDetails:
    """The change that a link is about. Raises NotFound for what is forged or too old."""
    try:
        said = signing.loads(token, salt=_SALT, max_age=GOOD_FOR)
        found = PayeeDetails.objects.select_related("payee__holder", "payee__society")
        return found.get(pk=said["details"], payee_id=said["payee"])
    except (signing.BadSignature, PayeeDetails.DoesNotExist, KeyError, TypeError):
        raise NotFound(_("This link is not valid, or no longer. Sign in to see your payment details.")) from None


def _people(holder_ids: Iterable[int]) -> set[int]:
    acting = Representation.objects.filter(holder_id__in=list(holder_ids), scope__in=MONEY_SCOPES)
    return set(acting.values_list("user_id", flat=True))


def _facts(details: PayeeDetails) -> dict[str, str]:
    since = details.usable_from or timezone.now() + cooling_off(details.society_id)
    return {
        "holder": str(details.payee),
        "society": str(details.payee.society),
        "last4": details.last4,
        "from": timezone.localtime(since).strftime("%Y-%m-%d"),
        "reason": details.reason or "–",
    }
