"""A society's distribution rule: imported as a document, in force once a second person has approved it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.contrib.postgres.fields import DateRangeField
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Func, Value
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference
from accounts.organisations.models import Organisation
from royalties.distribution.core import parse
from royalties.distribution.models import Rule
from royalties.distribution.services.guards import enter, own_rule

KIND = "rule"


def digest(document: Any) -> str:
    """SHA-256 of a document's meaning: key order and blanks do not count."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def import_rule(*, actor: Actor, society: Organisation, document: Any) -> Rule:
    """Keep one version of the rule, proposed. The same document again gives the same rule; another under its number is a Conflict."""
    enter(actor, society, "distribution.compute")
    terms = parse(document)
    sha256 = digest(document)
    rule, new = Rule.objects.get_or_create(
        society=society,
        ref=terms.ref,
        version=terms.version,
        defaults={"document": document, "sha256": sha256, "valid": DateRange(terms.valid_from, terms.valid_to)},
    )
    if rule.sha256 != sha256:
        raise Conflict(
            "rule_exists",
            _("%(rule)s exists with another content. Give the changed rule the next version number.") % {"rule": rule},
            pointer="/version",
        )
    if new:
        data = {"ref": rule.ref, "version": rule.version, "sha256": sha256}
        record(
            actor=actor, verb="rule.imported", object=Reference(KIND, rule.pk), organisation_id=society.pk, data=data
        )
    return rule


@transaction.atomic
def request_rule_approval(*, actor: Actor, rule: Rule) -> Approval:
    """Ask a second person to put this version into force."""
    rule = own_rule(actor, rule.pk, "distribution.compute")
    if rule.status != Rule.Status.PROPOSED:
        raise Conflict("rule_is_decided", _("This version is decided already."))
    return request_approval(
        actor=actor,
        kind=KIND,
        object=Reference(KIND, rule.pk),
        organisation_id=rule.society_id,
        subject_sha256=rule.sha256,
    )


@transaction.atomic
def approve_rule(*, actor: Actor, rule: Rule, approve: bool = True, reason: str = "") -> Rule:
    """Decide on the pending approval. An open-ended approved version ends where the new one begins."""
    rule = own_rule(actor, rule.pk, "distribution.approve")
    if rule.status == Rule.Status.APPROVED and approve:
        return rule
    approval = Approval.objects.pending().about(KIND, rule.pk).filter(kind=KIND).first()
    if approval is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for the approval of this version yet."))
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=rule.sha256)
    status = Rule.Status.APPROVED if approve else Rule.Status.REFUSED
    if approve:
        _end_predecessor(rule)
    try:
        with transaction.atomic():
            changed = Rule.objects.filter(pk=rule.pk, status=Rule.Status.PROPOSED).update(status=status)
    except IntegrityError as error:
        raise Conflict(
            "rule_overlaps",
            _("Another approved version is in force on some of these days. Let this one begin after it."),
            pointer="/valid_from",
        ) from error
    if changed != 1:
        raise Conflict("rule_is_decided", _("This version is decided already."))
    data = {"ref": rule.ref, "version": rule.version, "sha256": rule.sha256, "reason": reason}
    record(
        actor=actor,
        verb=f"rule.{status.value}",
        object=Reference(KIND, rule.pk),
        organisation_id=rule.society_id,
        data=data,
    )
    rule.refresh_from_db()
    return rule


def _end_predecessor(rule: Rule) -> None:
    """A version without an end yields to the next one from its first day on."""
    start = rule.valid.lower
    shortened = Func(
        Func(F("valid"), function="lower"), Value(start), function="daterange", output_field=DateRangeField()
    )
    Rule.objects.filter(
        society_id=rule.society_id,
        status=Rule.Status.APPROVED,
        valid__contains=start,
        valid__upper_inf=True,
        valid__startswith__lt=start,
    ).update(valid=shortened)
