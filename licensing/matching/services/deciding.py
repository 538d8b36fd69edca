"""Rules: what lines with one identifier or title mean from now on; made, replaced and withdrawn with evidence."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.intake.importing import check_society, serialised
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Work

_LONGEST_REASON = 1000


class Guess(NamedTuple):
    """What the matcher takes a value for, and how sure it is."""

    scheme: str
    value: str
    work_id: int
    score: Decimal
    reason: str


@transaction.atomic
def decide(
    *,
    actor: Actor,
    society: Organisation,
    scheme: str,
    value: str,
    work: Work | None,
    source: str = MatchRule.Source.PERSON,
    reason: str = "",
    score: Decimal | None = None,
) -> MatchRule:
    """From now on lines that say `scheme:value` mean this work; without one, none of the society's.

    The rule in force for it, if there is one, is withdrawn; one that says the same stays. Raises NotFound for a work of
    another society, Refusal where value or reason is none.
    """
    check_society(actor, society, "works.import")
    if work is not None and work.society_id != society.pk:
        raise NotFound(_("There is no such work."))
    if not value or len(reason) > _LONGEST_REASON:
        raise Refusal("bad_rule", _("Say what the rule is about, and why in at most 1,000 characters."))
    serialised(society)
    held = MatchRule.objects.in_force().filter(society=society, scheme=scheme, value=value).first()
    if held is not None:
        if held.work_id == (work.pk if work else None) and source == held.source:
            return held
        _end(actor, held, _("Replaced by another decision."))
    made = MatchRule.objects.create(
        society=society,
        scheme=scheme,
        value=value,
        work=work,
        source=source,
        score=score,
        reason=reason,
        made_by=actor.label[:200],
    )
    told = {"scheme": scheme, "value": value, "work": work.ref if work else None, "source": str(source)}
    _note(actor, "made", made, told)
    return made


@transaction.atomic
def withdraw(*, actor: Actor, rule: MatchRule, reason: str) -> MatchRule:
    """Take a rule back: lines mean again what the register says of them. Raises Conflict where it was withdrawn before."""
    check_society(actor, rule.society, "works.import")
    if not reason.strip() or len(reason) > _LONGEST_REASON:
        raise Refusal("no_reason", _("Say why, in at most 1,000 characters."), pointer="/reason")
    serialised(rule.society)
    held = MatchRule.objects.select_for_update(of=("self",)).select_related("society").get(pk=rule.pk)
    if held.withdrawn_at is not None:
        raise Conflict("withdrawn_already", _("This rule was withdrawn already."))
    return _end(actor, held, reason.strip())


@transaction.atomic
def remember(*, society: Organisation, guesses: Iterable[Guess]) -> int:
    """Keep what the matcher was sure of as rules; what anybody decided before stays. Returns how many are kept.

    Called in the transaction that stores what rests on them. It waits for nobody: a decision that is made at the same
    moment stays too.
    """
    wanted = {(guess.scheme, guess.value): guess for guess in guesses}
    held = MatchRule.objects.in_force().filter(society=society, value__in=[value for _scheme, value in wanted])
    ruled = set(held.values_list("scheme", "value"))
    new = [
        MatchRule(
            society=society,
            scheme=guess.scheme,
            value=guess.value,
            work_id=guess.work_id,
            source=MatchRule.Source.MATCHER,
            score=guess.score,
            reason=guess.reason[:_LONGEST_REASON],
            made_by=SYSTEM.label[:200],
        )
        for key, guess in sorted(wanted.items())
        if key not in ruled
    ]
    if new:
        MatchRule.objects.bulk_create(new, batch_size=1000, ignore_conflicts=True)
        record(
            actor=SYSTEM,
            verb="match_rule.guessed",
            object=Reference("organisation", society.pk),
            organisation_id=society.pk,
            data={"rules": len(new)},
        )
    return len(new)


def _end(actor: Actor, held: MatchRule, reason: str) -> MatchRule:
    held.withdrawn_at, held.withdrawn_by, held.withdrawn_because = timezone.now(), actor.label[:200], reason
    held.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
    _note(actor, "withdrawn", held, {"scheme": held.scheme, "value": held.value, "reason": reason})
    return held


def _note(actor: Actor, what: str, rule: MatchRule, data: dict[str, str | None]) -> None:
    record(
        actor=actor,
        verb=f"match_rule.{what}",
        object=Reference("match_rule", rule.pk),
        organisation_id=rule.society_id,
        data=data,
    )
