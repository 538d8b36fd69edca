"""People decide what an unmatched item is. Each decision is a rule of matching: it is remembered, and can be taken back.

Whoever decides locks the items first, in their order. The second of two people at one item hears what the first decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.identity.core import Actor, Conflict, NotFound
from licensing.claims.models import Claim, Unmatched, UnmatchedQuerySet
from licensing.claims.services.looking import claimed
from licensing.claims.services.refreshing import settle
from licensing.intake.importing import check_society
from licensing.matching import services as matching
from licensing.matching.core import SEVERAL, members
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Work
from licensing.repertoire.services import save_work
from licensing.repertoire.services.telling import tell_people

PERMISSION: Final = "works.import"
AT_ONCE: Final = 500  # items like one, decided with it; the next turn takes more

TAKEN_BACK: Final = (
    gettext_noop("The society has taken back that “%(title)s” is your work"),
    gettext_noop(
        "The reason given: %(reason)s. What has been paid already stays as it is until the society says otherwise."
    ),
)


@dataclass(frozen=True, slots=True)
class Alike:
    """Other open items that are likely the same, and the money that rests on them."""

    items: int
    worth: int


def alike_of(item: Unmatched) -> UnmatchedQuerySet:
    """Other open items of the same title and creators, or on the same host, which nobody claims."""
    if not item.alike:
        return Unmatched.objects.none()
    same = Unmatched.objects.filter(society_id=item.society_id, alike=item.alike, currency=item.currency).open()
    return same.exclude(pk=item.pk).exclude(pk__in=claimed(same).values("pk"))


def alike(item: Unmatched) -> Alike:
    """How many those are and what they are worth: said before they are decided along."""
    some = alike_of(item).order_by("-worth", "id")[:AT_ONCE].aggregate(items=Count("pk"), worth=Sum("worth"))
    return Alike(some["items"], some["worth"] or 0)


@transaction.atomic
def decide(
    *, actor: Actor, item: Unmatched, work: Work | None, reason: str = "", with_alike: bool = False
) -> list[Unmatched]:
    """Say that an item is this work, or (None) nothing of ours; with all that are alike, where that is asked for.

    Returns what was decided. Raises Conflict where somebody decided it meanwhile, or where claims to it are open.
    """
    check_society(actor, item.society, PERMISSION)
    if work is not None and work.society_id != item.society_id:
        raise NotFound(_("There is no such work."), pointer="/work")
    held = _locked(item, with_alike)
    for each in held:
        matching.decide(
            actor=actor, society=item.society, scheme=each.scheme, value=each.value, work=work, reason=reason.strip()
        )
    settle(item.society_id, [each.pk for each in held])
    return held


@transaction.atomic
def new_work(
    *, actor: Actor, item: Unmatched, reason: str = "", with_alike: bool = False, **fields: Any
) -> tuple[Work, list[Unmatched]]:
    """Put a work on record that the register lacks (`ref`, `kind`, `title`, `identifiers`, …), and say that the item is it.

    Its shares are recorded later; until then its money waits.
    """
    check_society(actor, item.society, PERMISSION)
    _locked(item, with_alike)
    work = save_work(actor=actor, society=item.society, **fields)
    return work, decide(actor=actor, item=item, work=work, reason=reason, with_alike=with_alike)


@transaction.atomic
def undo(*, actor: Actor, rule: MatchRule, reason: str) -> MatchRule:
    """Take a decision back: its items are open again, unless the register knows them. Who claimed one hears of it."""
    check_society(actor, rule.society, PERMISSION)
    items = Unmatched.objects.select_for_update().filter(society=rule.society, scheme=rule.scheme, value=rule.value)
    held = list(items.order_by("pk"))
    withdrawn = matching.withdraw(actor=actor, rule=rule, reason=reason.strip())
    settle(rule.society_id, [each.pk for each in held])
    if rule.source == MatchRule.Source.CLAIM:
        for claim in Claim.objects.filter(item__in=held, status=Claim.Status.ACCEPTED).select_related("item"):
            facts = {"title": str(claim.item)[:120], "reason": reason.strip()}
            tell_people(
                [claim.claimant_id], TAKEN_BACK, facts, key=f"claim-taken-back:{claim.pk}:{rule.pk}", kind="claim",
                route="licensing:claim", at=claim.pk,
            )  # fmt: skip
    return withdrawn


def suggested(item: Unmatched) -> dict[str, Any]:
    """What a new work made of an item would be called."""
    named = members(item.value) if item.scheme == SEVERAL else [(item.scheme, item.value)]
    identifiers = [f"{scheme}:{value}" for scheme, value in named if scheme != "title"]
    return {
        "kind": item.kind,
        "title": item.title,
        "creators": item.creators,
        "identifiers": "\n".join(identifiers),
    }


def decided_by(item: Unmatched) -> str:
    """Who decided an item, and what, in words."""
    rule = item.rule
    if rule is None:
        return _("The register knows it now: it is matched already.")
    if rule.work is None:
        return _("%(who)s decided meanwhile: none of ours.") % {"who": rule.made_by}
    said = _("%(who)s decided meanwhile: it is “%(work)s” (%(ref)s).")
    return said % {"who": rule.made_by, "work": rule.work.title, "ref": rule.work.ref}


def lock(ids: Sequence[int]) -> list[Unmatched]:
    """These items as they are now, in their order; others wait until this transaction ends."""
    locked = [*Unmatched.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True)]
    rows = Unmatched.objects.select_related("society", "rule__work")  # asked anew: what was decided while this waited
    return list(rows.filter(pk__in=locked).order_by("pk"))


def _locked(item: Unmatched, with_alike: bool) -> list[Unmatched]:
    """The item and, where asked for, those like it, locked and found open."""
    others = alike_of(item).order_by("-worth", "id").values_list("pk", flat=True)[:AT_ONCE] if with_alike else ()
    held = lock([item.pk, *others])
    [own] = [each for each in held if each.pk == item.pk]
    if own.status != Unmatched.Status.OPEN:
        raise Conflict("decided_already", decided_by(own))
    if own.claims.filter(status=Claim.Status.OPEN).exists():
        raise Conflict("claimed", _("Somebody claims this: decide about the claims, and it is decided with them."))
    return [own, *(each for each in held if each.pk != item.pk and each.status == Unmatched.Status.OPEN)]
