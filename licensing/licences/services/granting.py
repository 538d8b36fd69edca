"""A society grants a licence; one finds it again."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound, Refusal
from accounts.organisations.models import REF, Organisation
from licensing import terms
from licensing.licences.models import Licence
from licensing.licences.services.common import (
    check_society,
    checked_codes,
    checked_conditions,
    checked_names,
    checked_territory,
    note,
    term,
)
from licensing.tariffs.models import PRICING, Tariff

ANYTHING = (terms.ANY,)


@transaction.atomic
def create_licence(
    *,
    actor: Actor,
    ref: str,
    society: Organisation,
    licensee: Organisation,
    tariff: Tariff,
    uses: Collection[str],
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
    kinds: Collection[str] = ANYTHING,
    territory: Collection[str] = ANYTHING,
    ai_models: Collection[str] = (),
    datasets: Collection[str] = (),
    tier: str = "",
    status: str = Licence.Status.ACTIVE,
    conditions: Mapping[str, Any] | None = None,
) -> Licence:
    """Grant a licence directly, as `draft` or `active`, without request and signatures. `valid_to` is the first day after its term.

    `conditions`: its duties as data; without any, the licence has none, and nothing falls due under it.

    The same licence again gives the one that exists; the same ref with other terms is a Conflict.
    """
    check_society(actor, society)
    check_parties(society, licensee, tariff)
    wanted = {
        "society": society,
        "licensee": licensee,
        "tariff": tariff,
        "uses": checked_codes(uses, terms.USES, "/uses"),
        "kinds": checked_codes(kinds, terms.KINDS, "/kinds"),
        "territory": checked_territory(territory),
        "ai_models": checked_names(ai_models, "/ai_models"),
        "datasets": checked_names(datasets, "/datasets"),
        "valid": term(valid_from, valid_to),
        "tier": tier.strip(),
        "conditions": checked_conditions(dict(conditions)).as_data() if conditions else {},
    }
    check_ref(ref)
    check_tier(tier)
    check_tariff_in_term(tariff, wanted["valid"])
    if status not in (Licence.Status.DRAFT, Licence.Status.ACTIVE):
        raise Refusal("bad_status", _("A new licence is a draft or active."), pointer="/status")
    licence, created = Licence.objects.get_or_create(ref=ref, defaults=wanted | {"status": status})
    if not created:
        return _the_same(licence, wanted)
    note(actor, "created", licence, status=status, licensee=licensee.ref, tariff=tariff.ref)
    return licence


def find_licence(*, actor: Actor, ref: str, pointer: str | None = None) -> Licence:
    """The licence of this ref among those that the actor sees. Raises NotFound."""
    found = Licence.objects.visible_to(actor).select_related("society", "licensee", "tariff").filter(ref=ref).first()
    if found is None:
        raise NotFound(_("There is no licence “%(ref)s”.") % {"ref": ref[:64]}, pointer=pointer)
    return found


def _the_same(licence: Licence, wanted: dict[str, Any]) -> Licence:
    differing = [name for name, value in wanted.items() if getattr(licence, name) != value]
    if differing:
        raise Conflict(
            "licence_exists",
            _("A licence “%(ref)s” exists with other terms. Use another reference.") % {"ref": licence.ref},
            pointer="/ref",
        )
    return licence


def check_parties(society: Organisation, licensee: Organisation, tariff: Tariff) -> None:
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal("not_a_society", _("“%(ref)s” is not a society.") % {"ref": society.ref}, pointer="/society")
    if licensee.kind != Organisation.Kind.LICENSEE:
        raise Refusal("not_a_licensee", _("“%(ref)s” is not a licensee.") % {"ref": licensee.ref}, pointer="/licensee")
    if tariff.society_id != society.pk:
        raise Refusal(
            "tariff_of_another_society",
            _("“%(tariff)s” is not a tariff of %(society)s.") % {"tariff": tariff.ref, "society": society.ref},
            pointer="/tariff",
        )


def check_tariff_in_term(tariff: Tariff, term: DateRange) -> None:
    determined = tariff.versions.filter(status__in=PRICING, valid__overlap=term)
    if not determined.exists():
        raise Refusal(
            "tariff_not_in_force",
            _("No determined version of “%(tariff)s” is in force in this term. A rate body has to determine one first.")
            % {"tariff": tariff.ref},
            pointer="/tariff",
        )


def check_ref(ref: str) -> None:
    try:
        REF(ref)
    except ValidationError as error:
        raise Refusal("bad_ref", error.messages[0], pointer="/ref") from error


def check_tier(tier: str) -> None:
    if len(tier.strip()) > 40 or not tier.isprintable():
        raise Refusal("bad_tier", _("A tier's name has at most 40 printable characters."), pointer="/tier")
