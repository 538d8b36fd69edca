"""What is reserved now of a work, of all works of a holder, or at a site: the facts that public documents are made of.

Only what the public register shows anyway: uses, places and countries, never who asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import NotFound
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.permissions.core.places import ancestors
from licensing.permissions.core.statements import Reserved, stated
from licensing.permissions.models import Reservation, Site
from licensing.repertoire.models import Holder, Share, Work
from licensing.signals.core import EVERYWHERE, Statement

MOST: Final = 500  # reservations that one document is made of


@dataclass(frozen=True, slots=True)
class Subject:
    """What a document is about, and what is reserved of it now."""

    kind: str  # works | holders | sites
    society: Organisation
    ref: str
    title: str
    reserved: tuple[Reserved, ...]
    changed_at: dt.datetime
    isccs: tuple[str, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """What names it in an address."""
        return (self.ref,) if self.kind == "sites" else (self.society.ref, self.ref)

    def address(self, form: str) -> str:
        """The stable public address of what is said about it in one format."""
        path = "/".join(quote(part, safe="") for part in (*self.path, form))
        return f"{settings.SITE_URL.rstrip('/')}/signals/{self.kind}/{path}"

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What is reserved, as one list of which the first entry that matches speaks."""
        return stated(self.reserved, policy=self.address("policy.json"))


def of_work(society: str, ref: str) -> Subject:
    """A registered work: what is reserved of it, of its identifiers, or of all works of who holds a share today."""
    work = Work.objects.filter(society__ref=society, ref=ref).select_related("society").first()
    if work is None:
        raise NotFound(_("There is no such work."))
    named = list(work.identifiers.values_list("scheme", "value"))
    holders = Share.objects.filter(work=work).on(timezone.localdate()).values("holder_id")
    fitting = Q(work=work) | Q(holder__in=holders)
    for scheme, value in named:
        fitting |= Q(scheme=scheme, value=value)
    found, changed = _in_force(fitting, since=work.created_at)
    paths = sorted({f"/{value.partition('/')[2]}" for scheme, value in named if scheme == "url"}) or [EVERYWHERE]
    reserved = [replace(each, pattern=path) for each in _whole(found) for path in paths]
    isccs = tuple(value for scheme, value in named if scheme == "iscc")
    return Subject("works", work.society, ref, work.title, tuple(reserved), changed, isccs)


def of_holder(society: str, ref: str) -> Subject:
    """A member: what is reserved of all their works."""
    holder = Holder.objects.filter(society__ref=society, ref=ref).select_related("society").first()
    if holder is None:
        raise NotFound(_("There is no such member."))
    found, changed = _in_force(Q(holder=holder), since=holder.created_at)
    return Subject("holders", holder.society, ref, ref, tuple(_whole(found)), changed)


def of_site(host: str) -> Subject:
    """A host: what is reserved at its places, and of all works of the holder who has proved it."""
    known = Site.objects.filter(host=host).select_related("society").order_by("proved_at", "pk")
    at_host = Q(place=host) | Q(place__startswith=f"{host}/")
    about: Site | Reservation | None = known.first() or (
        Reservation.objects.public().filter(at_host).exclude(place="").select_related("society").order_by("pk").first()
    )
    if about is None:
        raise NotFound(_("There is no such site."))
    holders = [each.holder_id for each in known if each.proved_at]
    above = [place for place in ancestors(host) if "/" not in place and place != host]
    fitting = at_host | Q(place__in=above, pattern="") | Q(holder_id__in=holders)
    found, changed = _in_force(fitting, since=about.created_at)
    reserved = [part for each in found for part in _at(host, each)]
    return Subject("sites", about.society, host, host, tuple(reserved), changed)


def _in_force(fitting: Q, *, since: dt.datetime) -> tuple[list[Reservation], dt.datetime]:
    """What counts now of these, and when anything about them last changed."""
    now = timezone.now()
    known = Reservation.objects.public().filter(fitting)
    moments = known.aggregate(
        begun=Max("effective_from", filter=Q(effective_from__lte=now)),
        ended=Max("ended_at", filter=Q(ended_at__lte=now)),
    )
    changed = max(filter(None, [since, *moments.values()]))
    return list(Reservation.objects.counting(now).filter(fitting).order_by("pk")[:MOST]), changed


def _whole(found: Iterable[Reservation]) -> list[Reserved]:
    """What is reserved of a work or of all works: everywhere, whatever the path."""
    return [Reserved(EVERYWHERE, (), _uses(each), tuple(each.territory)) for each in found]


def _at(host: str, reservation: Reservation) -> list[Reserved]:
    """What a reservation reserves at this host, as patterns of its paths."""
    uses, territory = _uses(reservation), tuple(reservation.territory)
    at, _slash, path = reservation.place.partition("/")
    if at != host:  # of a host above, or of all works of who has proved this one
        return [Reserved(EVERYWHERE, (), uses, territory)]
    excepting = tuple(reservation.excepting)
    if reservation.pattern:
        patterns = [reservation.pattern]
    elif path:
        patterns = [f"/{path}/", f"/{path}$", f"/{path}?"]  # at it, and below it
    else:
        patterns = [EVERYWHERE]
    return [Reserved(pattern, excepting, uses, territory) for pattern in patterns]


def _uses(reservation: Reservation) -> frozenset[str]:
    return frozenset(terms.USES if terms.ANY in reservation.uses else reservation.uses)
