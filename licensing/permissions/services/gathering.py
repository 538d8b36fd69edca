"""What is known about the works that were found, gathered in a few queries: the facts on which the core decides."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.identity.core import Actor
from licensing.licences.core import Terms
from licensing.licences.models import Licence
from licensing.permissions import core
from licensing.permissions.services.finding import FoundWork, Spoken, listed, rows
from licensing.permissions.services.reserved import Reserved, of_items
from licensing.permissions.services.schemes import enabled

# What a holder allows: mandates to the society, and licences given directly to the licensee. Holders who allow the same
# are the same to the decision, so that it is made once for all works whose holders do.
Standing = tuple[tuple[core.Grant, ...], tuple[core.Grant, ...]]


@dataclass(slots=True)
class Known:
    """Everything known about the works that were found, and what is reserved of them and of where they were found."""

    shares: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # work → (number of a standing, ppm)
    standings: list[Standing] = field(default_factory=list)
    licences: dict[int, dict[str, Terms]] = field(default_factory=lambda: defaultdict(dict))  # by society, then ref
    statutory: dict[int, dict[str, core.Grant]] = field(default_factory=lambda: defaultdict(dict))  # likewise
    reserved: Reserved = field(default_factory=Reserved)

    def all_licences(self) -> Mapping[str, Terms]:
        return {ref: licence for licences in self.licences.values() for ref, licence in licences.items()}


def gather(
    *,
    actor: Actor,
    day: dt.date,
    asked: Collection[Spoken],
    works: Collection[FoundWork],
    places: Mapping[Spoken, Sequence[str]],
) -> Known:
    """The facts about these works on this day for the actor's organisation."""
    known = Known()
    holders = _shares([work.id for work in works], day)
    standing_of = _standings(known, {holder for parts in holders.values() for holder, _ppm in parts}, actor, day)
    for work, parts in holders.items():
        known.shares[work] = tuple([(standing_of[holder], ppm) for holder, ppm in parts])
    for licence in Licence.objects.filter(licensee_id=actor.organisation_id):
        known.licences[licence.society_id][licence.ref] = licence.terms
    for society, ref, scheme in enabled({work.society_id for work in works}):
        known.statutory[society][ref] = scheme
    known.reserved = of_items(
        works=works,
        holders={work: [holder for holder, _ppm in parts] for work, parts in holders.items()},
        asked=asked,
        places=places,
    )
    return known


def _shares(works: Iterable[int], day: dt.date) -> dict[int, list[tuple[int, int]]]:
    """Work → (holder, ppm) of each share on the day."""
    found: dict[int, list[tuple[int, int]]] = {}
    if works:
        for work, holder, ppm in rows(
            """SELECT work_id, holder_id, ppm FROM licensing_share
            WHERE work_id = ANY(%s::bigint[]) AND valid @> %s::date ORDER BY id""",
            [listed(works), day],
        ):
            found.setdefault(work, []).append((holder, ppm))
    return found


def _standings(known: Known, holders: Iterable[int], actor: Actor, day: dt.date) -> dict[int, int]:
    """Holder → the number of their standing in `known.standings`."""
    mandates: dict[int, tuple[core.Grant, ...]] = {}
    direct: dict[int, tuple[core.Grant, ...]] = {}
    if holders:
        for given, uses, kinds, territory, these in rows(
            """SELECT 'mandate', uses, kinds, territory, string_agg(holder_id::text, ' ') FROM licensing_mandate
            WHERE holder_id = ANY(%s::bigint[]) AND valid @> %s::date GROUP BY uses, kinds, territory
            UNION ALL
            SELECT 'direct', uses, kinds, territory, string_agg(holder_id::text, ' ') FROM licensing_directlicence
            WHERE licensee_id = %s AND holder_id = ANY(%s::bigint[]) AND valid @> %s::date GROUP BY uses, kinds, territory
            ORDER BY 1, 2, 3, 4""",
            [listed(holders), day, actor.organisation_id, listed(holders), day],
        ):
            grant = core.Grant(tuple(uses), tuple(kinds), tuple(territory))
            grants = mandates if given == "mandate" else direct
            for holder in map(int, these.split()):
                grants[holder] = (*grants.get(holder, ()), grant)
    numbers: dict[Standing, int] = {}
    found = {h: numbers.setdefault((mandates.get(h, ()), direct.get(h, ())), len(numbers)) for h in holders}
    known.standings = list(numbers)
    return found
