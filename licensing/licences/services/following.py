"""When a licence may follow another one: its amendment within the term, or its renewal after it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.identity.core import Conflict, Refusal
from licensing.licences.models import Licence, LicenceRequest


def check_before(request: LicenceRequest) -> None:
    """Whether the licence that this one is to renew or amend can still be followed like that. Raises Refusal."""
    if request.amends is not None:
        _check_amendment(request, request.amends)
    if request.renews is not None:
        _check_renewal(request, request.renews)


def _check_amendment(request: LicenceRequest, old: Licence) -> None:
    _check_not_followed(old)
    since, until = old.valid.lower, old.valid.upper
    first, after = request.term.lower, request.term.upper
    if old.status != Licence.Status.ACTIVE:
        raise _cannot_follow(old)
    if first <= since or (until is not None and first >= until):
        raise Refusal(
            "outside_term",
            _("An amendment begins within the term of the licence, after its first day %(first)s.") % {"first": since},
            pointer="/term_from",
        )
    if until is not None and (after is None or after > until):
        raise Refusal(
            "beyond_term",
            _("An amendment ends with the licence that it amends. Ask for a renewal to go on after that."),
            pointer="/term_to",
        )


def _check_renewal(request: LicenceRequest, old: Licence) -> None:
    _check_not_followed(old)
    if old.status not in (Licence.Status.ACTIVE, Licence.Status.EXPIRED):
        raise _cannot_follow(old)
    if old.valid.upper is None:
        raise Refusal("never_ends", _("This licence has no end, so there is nothing to renew."), pointer="/renews")
    if request.term.lower < old.valid.upper:
        raise Refusal(
            "before_its_end",
            _("A renewal begins on %(day)s, when the licence before it ends, or later.") % {"day": old.valid.upper},
            pointer="/term_from",
        )


def _check_not_followed(old: Licence) -> None:
    follower = Licence.objects.filter(succeeds=old).first()
    if follower is not None:
        detail = _("The licence %(old)s is followed by %(new)s already. Ask about that one.")
        raise Conflict("followed_already", detail % {"old": old.ref, "new": follower.ref})


def _cannot_follow(old: Licence) -> Conflict:
    detail = _("The licence %(ref)s is %(status)s, so it can be neither amended nor renewed. Ask for a new one.")
    return Conflict("licence_not_active", detail % {"ref": old.ref, "status": old.get_status_display()})
