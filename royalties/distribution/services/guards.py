"""Who may touch a society's distribution: a stranger finds nothing, a member of staff needs the permission."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.identity.core import Actor, NotFound
from accounts.organisations.models import Organisation
from royalties.distribution.models import Rule, Run


def enter(actor: Actor, society: Organisation, permission: str) -> None:
    """Raise NotFound to strangers, Forbidden to those whose role lacks the permission."""
    if not actor.is_system and not (actor.is_society and actor.organisation_id == society.pk):
        raise NotFound(_("There is no such society."))
    if society.kind != Organisation.Kind.SOCIETY:
        raise NotFound(_("%(ref)s is not a society.") % {"ref": society.ref})
    actor.require(permission)


def own_run(actor: Actor, run_id: int, permission: str) -> Run:
    """The run as stored now, if the actor may do this with it."""
    run = Run.objects.visible_to(actor).select_related("society", "rule").filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("There is no such run."))
    actor.require(permission)
    return run


def own_rule(actor: Actor, rule_id: int, permission: str) -> Rule:
    rule = Rule.objects.visible_to(actor).select_related("society").filter(pk=rule_id).first()
    if rule is None:
        raise NotFound(_("There is no such rule."))
    actor.require(permission)
    return rule


def find_run(number: int) -> Run:
    """The run of this number, for the operator's commands."""
    run = Run.objects.select_related("society", "rule").filter(pk=number).first()
    if run is None:
        raise NotFound(_("There is no run %(run)s.") % {"run": number})
    return run
