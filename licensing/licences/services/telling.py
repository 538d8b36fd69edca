"""Who hears of a licence's life: both sides' people, each in their language, and both sides' programs."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Final

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from accounts.access.core import ROLES
from accounts.access.models import Membership
from accounts.identity.models import User
from accounts.notices.services import notify, publish
from accounts.organisations.models import Organisation
from licensing.licences.models import Licence, LicenceRequest, Offer

Said = tuple[str, str]  # subject and body, as sentences of the catalogue

REQUESTS: Final[Mapping[str, Said]] = {
    "submitted": (
        gettext_noop("%(licensee)s asks for a licence"),
        gettext_noop("Request %(ref)s, under the tariff %(tariff)s. Look at it and send a quote, or decline it."),
    ),
    "quoted": (
        gettext_noop("%(society)s has quoted your request %(ref)s"),
        gettext_noop("The quote holds until %(last)s. The society makes an offer that both sides sign."),
    ),
    "offered": (
        gettext_noop("A licence of %(society)s for %(licensee)s is to be signed"),
        gettext_noop("Request %(ref)s. Read the agreement; an authorised person of each side signs it by %(last)s."),
    ),
    "half_signed": (
        gettext_noop("The other side has signed the licence of request %(ref)s"),
        gettext_noop("Your side signs by %(last)s. Then the licence is on record."),
    ),
    "offer_withdrawn": (gettext_noop("The offer for request %(ref)s was withdrawn"), "%(reason)s"),
    "offer_lapsed": (
        gettext_noop("The offer for request %(ref)s has lapsed"),
        gettext_noop("It was not signed by both sides in time. The society can quote and offer again."),
    ),
    "declined": (gettext_noop("%(society)s has declined your request %(ref)s"), "%(reason)s"),
    "withdrawn": (gettext_noop("%(licensee)s has withdrawn its request %(ref)s"), "%(reason)s"),
}
LICENCES: Final[Mapping[str, Said]] = {
    "signed": (
        gettext_noop("The licence %(ref)s is signed"),
        gettext_noop("It holds from %(first)s. Its certificate and the signed agreement are on its page."),
    ),
    "suspended": (
        gettext_noop("The licence %(ref)s is suspended"),
        gettext_noop("From now on nothing may be used under it, until it is resumed. %(reason)s"),
    ),
    "resumed": (gettext_noop("The licence %(ref)s is active again"), ""),
    "terminated": (
        gettext_noop("The licence %(ref)s ends before its time"),
        gettext_noop("%(first_without)s is the first day that is no longer licensed. %(reason)s"),
    ),
    "amended": (
        gettext_noop("The licence %(ref)s was replaced by its amendment"),
        gettext_noop("%(first_without)s is the first day on which the amendment %(by)s holds in its place."),
    ),
    "expired": (
        gettext_noop("The licence %(ref)s has ended"),
        gettext_noop("Its term is over. What is used from now on needs a new licence."),
    ),
    "ends": (
        gettext_noop("The licence %(ref)s ends on %(last)s"),
        gettext_noop("That is in %(days)s days. To go on, ask for its renewal in time."),
    ),
}
KIND: Final = "licence"


def tell_licensee(
    request: LicenceRequest, what: str, *, key: str, permission: str = "licences.request", **facts: Any
) -> None:
    """The firm's people who may ask for licences, or sign them."""
    _tell(request.licensee, permission, REQUESTS[what], _facts(request, facts), key=key, link=_request_link(request))


def tell_society(
    request: LicenceRequest, what: str, *, key: str, permission: str = "licences.manage", **facts: Any
) -> None:
    """The society's people who manage licences, or sign them."""
    _tell(request.society, permission, REQUESTS[what], _facts(request, facts), key=key, link=_request_link(request))


def tell_parties(licence: Licence, what: str, *, key: str, **facts: Any) -> None:
    """Both sides' people: whoever manages or asks for licences, and of the firm those who declare."""
    link = _link("licensing:licence", licence.pk)
    said = {
        "ref": licence.ref,
        "first": licence.valid.lower,
        "first_without": licence.valid.upper,
        "reason": "",
    } | facts
    for organisation, permissions in (
        (licence.society, ("licences.manage",)),
        (licence.licensee, ("licences.request", "declarations.declare")),
    ):
        for permission in permissions:
            _tell(organisation, permission, LICENCES[what], said, key=key, link=link)


def publish_request(request: LicenceRequest, kind: str, *, key: str, **data: Any) -> None:
    """To both sides' programs: references and states alone."""
    said = {
        "request": request.ref,
        "society": request.society.ref,
        "licensee": request.licensee.ref,
        "tariff": request.tariff.ref,
        "status": request.status,
    }
    for organisation_id in (request.society_id, request.licensee_id):
        publish(organisation_id=organisation_id, kind=kind, key=key, data=said | data)


def publish_licence(licence: Licence, kind: str, *, key: str, **data: Any) -> None:
    said = {
        "licence": licence.ref,
        "society": licence.society.ref,
        "licensee": licence.licensee.ref,
        "status": licence.status,
        "valid_from": licence.valid.lower,
        "valid_to": licence.valid.upper,
    }
    for organisation_id in (licence.society_id, licence.licensee_id):
        publish(organisation_id=organisation_id, kind=kind, key=key, data=said | data)


def last_day(valid_to: datetime.date) -> datetime.date:
    """The last day of something, as people say it."""
    return valid_to - datetime.timedelta(days=1)


def offer_facts(offer: Offer) -> dict[str, Any]:
    return {"last": last_day(offer.valid_to)}


def _facts(request: LicenceRequest, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ref": request.ref,
        "society": request.society,
        "licensee": request.licensee,
        "tariff": request.tariff,
        "reason": request.reason,
        **facts,
    }


def _tell(
    organisation: Organisation, permission: str, said: Said, facts: Mapping[str, Any], *, key: str, link: str
) -> None:
    roles = [role for role, allowed in ROLES[organisation.kind].items() if permission in allowed]
    staff = Membership.objects.filter(organisation=organisation, role__in=roles)
    people: dict[str, list[int]] = {}
    users = User.objects.filter(pk__in=staff.values("user_id"), is_active=True)
    for user, language in users.values_list("pk", "language"):
        people.setdefault(language, []).append(user)
    for language, ids in people.items():
        with override(language):
            subject, body = (_(text) % facts if text else "" for text in said)
            notify(user_ids=ids, key=key, kind=KIND, subject=subject, body=body.strip(), link=link)


def _request_link(request: LicenceRequest) -> str:
    return _link("licensing:licence_request", request.pk)


def _link(route: str, *args: Any) -> str:
    try:
        return reverse(route, args=args)
    except NoReverseMatch:  # an installation without the portal
        return ""
