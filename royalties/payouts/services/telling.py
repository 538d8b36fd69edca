"""Who hears of a payment: those who act for its holder, once each, in their language; and the society's programs."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy, override

from accounts.identity.models import User
from accounts.notices.services import notify, publish
from licensing.repertoire.models import Representation
from royalties.payouts.models import Batch, Payment

_SENT = (
    gettext_lazy("%(society)s has ordered a payment to you"),
    gettext_lazy("It says on which day the bank carries it out, and how it came about."),
)
_BACK = (
    gettext_lazy("A payment of %(society)s came back"),
    gettext_lazy(
        "You are owed the whole amount again. Check your payment details, so that the next payout reaches you."
    ),
)


def tell_sent(batch: Batch) -> None:
    """A notice for each person with a payment in the batch, and an event for the society's programs."""
    _tell(Payment.objects.filter(batch=batch, entitlement_id=None), batch, f"payout-sent:{batch.pk}", *_SENT)
    data = {
        "batch": batch.pk, "currency": batch.currency, "gross": batch.gross, "withheld": batch.withheld, "net": batch.net,
        "payments": batch.payments, "execute_on": batch.execute_on,
    }  # fmt: skip
    publish(organisation_id=batch.society_id, kind="payout.sent", key=f"payout-sent:{batch.pk}", data=data)


def tell_back(batch: Batch, payment_ids: Iterable[int], occasion: str) -> None:
    """A notice for each person whose payment failed, and one event for the society's programs."""
    failed = Payment.objects.filter(pk__in=list(payment_ids))
    _tell(failed, batch, f"payment-returned:{occasion}", *_BACK)
    data = {"batch": batch.pk, "payments": failed.count()}
    publish(organisation_id=batch.society_id, kind="payment.returned", key=f"payment-returned:{occasion}", data=data)


def _tell(payments: QuerySet[Payment], batch: Batch, key: str, subject: object, body: object) -> None:
    money = Representation.objects.exclude(scope=Representation.Scope.CATALOGUE)
    people = money.filter(holder_id__in=payments.values("holder_id")).values("user_id")
    for language in ("en", "ko"):
        users = User.objects.filter(id__in=people, language=language, is_active=True).values_list("id", flat=True)
        with override(language):
            said = str(subject) % {"society": batch.society}
            notify(user_ids=users, key=key, kind="payout", subject=said, body=str(body), link=_link())


def _link() -> str:
    try:
        return reverse("royalties:my_payouts")
    except NoReverseMatch:  # an installation without the portal
        return ""
