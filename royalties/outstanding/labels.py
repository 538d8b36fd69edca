"""Why money waits, in words: of what is held or in suspense, and of what is payable and not paid yet; and what one can do."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

REASONS: Final[dict[str, Any]] = {
    "unmatched": _("the identifier matches no work yet"),
    "no_share": _("no holder is recorded for this part"),
    "overclaimed": _("the shares claim more than the whole work"),
    "disputed": _("the share is disputed"),
    "reserved": _("its use was reserved on that day"),
    "unmandated": _("not every holder had given a mandate on that day"),
    "unlicensed": _("the licence does not cover the work that it is"),
    "free": _("the work was in the public domain on that day"),
    "individual": _("its holders had licensed it directly"),
    "no_payee": _("no payment details"),
    "not_approved": _("payment details wait for approval"),
    "cooling_off": _("payment details changed a short time ago"),
    "sanctions": _("a check is under way"),
    "unverified": _("payment details are not checked yet"),
    "incomplete": _("payment details are not complete"),
    "expired_certificate": _("a certificate has expired"),
    "no_tax_rule": _("no tax rule is in force"),
    "entitlement": _("it is not settled yet who gets it"),
    "receiver_blocked": _("a part is due to somebody who cannot be paid yet"),
    "nothing_left": _("nothing is left after tax"),
    "below_threshold": _("less than the least amount that is paid out"),
    "next_payout": _("the next payout pays it"),
    "other": _("another reason"),
}
# What a creator can do about it, and the page where it is done.
TO_DO: Final[dict[str, tuple[Any, str]]] = {
    "overclaimed": (_("Look at what each claims, and agree on a split."), "licensing:disputes"),
    "disputed": (_("Look at what is said against it, and answer."), "licensing:disputes"),
    "unmandated": (
        _("Give a mandate for this use, if you have not; the society then looks again."),
        "licensing:my_mandates",
    ),
    "no_share": (
        _("Ask the society whose the missing part is, or register it if it is yours."),
        "licensing:registrations",
    ),
    "no_payee": (_("Enter your payment details."), "royalties:my_payee"),
    "not_approved": (_("Nothing: the society checks your payment details."), "royalties:my_payee"),
    "cooling_off": (_("Nothing, unless you did not change them yourself: then object at once."), "royalties:my_payee"),
    "incomplete": (_("Complete your payment details."), "royalties:my_payee"),
    "below_threshold": (_("Nothing: it is added to what comes in next, and never lost."), ""),
    "next_payout": (_("Nothing: it is paid with the next payout."), ""),
}


def reason_label(code: str) -> str:
    """A reason in words; one that has none, as it is."""
    return str(REASONS.get(code, code.replace("_", " ")))
