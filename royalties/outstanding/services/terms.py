"""A society's terms for money that waits: imported as a document, in force once a second person has approved them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from django.contrib.postgres.fields import DateRangeField
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Func, Value
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference
from accounts.organisations.models import Organisation
from royalties.distribution.services.guards import enter
from royalties.outstanding import core
from royalties.outstanding.models import ClockRule, ClockTerms

KIND: Final = "clock_terms"


@transaction.atomic
def import_terms(*, actor: Actor, society: Organisation, document: Any) -> ClockTerms:
    """Keep one version, proposed. The same document again gives the same; another under its number is a Conflict."""
    enter(actor, society, "distribution.compute")
    read, sha256 = core.read_terms(document), core.digest(document)
    terms, new = ClockTerms.objects.get_or_create(
        society=society, version=read.version,
        defaults={
            "name": read.name, "document": document, "sha256": sha256, "jurisdiction": read.jurisdiction,
            "year_end_month": read.year_end_month, "remuneration_tariffs": list(read.remuneration_tariffs),
            "valid": DateRange(read.valid_from, read.valid_to),
        },
    )  # fmt: skip
    if terms.sha256 != sha256:
        detail = _("%(terms)s exist with another content. Give the changed ones the next version number.")
        raise Conflict("terms_exist", detail % {"terms": terms}, pointer="/version")
    if new:
        _note(actor, "imported", terms)
    return terms


@transaction.atomic
def ask_terms(*, actor: Actor, terms: ClockTerms) -> Approval:
    """Ask a second person to put this version into force."""
    held = _own(actor, terms.pk, "distribution.compute")
    if held.status != ClockTerms.Status.PROPOSED:
        raise Conflict("terms_are_decided", _("This version is decided already."))
    return request_approval(
        actor=actor,
        kind=KIND,
        object=Reference(KIND, held.pk),
        organisation_id=held.society_id,
        subject_sha256=held.sha256,
    )


@transaction.atomic
def decide_terms(*, actor: Actor, terms: ClockTerms, approve: bool, reason: str = "") -> ClockTerms:
    """The second person's decision. Approved, an open-ended version before it ends where this one begins."""
    held = _own(actor, terms.pk, "distribution.approve")
    approval = pending(held)
    if approval is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for the approval of this version yet."))
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=held.sha256)
    status = ClockTerms.Status.APPROVED if approve else ClockTerms.Status.REFUSED
    if approve:
        _end_predecessor(held)
    try:
        with transaction.atomic():
            changed = ClockTerms.objects.filter(pk=held.pk, status=ClockTerms.Status.PROPOSED).update(status=status)
    except IntegrityError as error:
        detail = _("Other approved terms are in force on some of these days. Let these begin after them.")
        raise Conflict("terms_overlap", detail, pointer="/valid_from") from error
    if changed != 1:
        raise Conflict("terms_are_decided", _("This version is decided already."))
    if approve:
        _put_rules(held)
    held.refresh_from_db()
    _note(actor, "approved" if approve else "refused", held, reason=reason)
    return held


def pending(terms: ClockTerms) -> Approval | None:
    """The approval that waits, if one was asked for."""
    return Approval.objects.pending().about(KIND, terms.pk).filter(kind=KIND).select_related("requester").first()


def law_and_own(society_id: int) -> list[core.Rule]:
    """Every clock that may govern a society's money, as pure rules."""
    rows = ClockRule.objects.filter(terms=None) | ClockRule.objects.filter(
        terms__society_id=society_id, terms__status="approved"
    )
    return [
        core.Rule(
            row.name, row.jurisdiction, row.basis, row.reason, row.valid.lower, row.valid.upper, row.starts_from, row.pay, row.inform,
            row.publish, row.expire, row.source, own=row.terms_id is not None,
        )
        for row in rows
    ]  # fmt: skip


def _put_rules(terms: ClockTerms) -> None:
    rules = [asdict(rule) for rule in core.read_terms(terms.document).rules]
    ClockRule.objects.bulk_create(
        [
            ClockRule(
                terms=terms, valid=DateRange(rule.pop("valid_from"), rule.pop("valid_to")),
                **{key: value for key, value in rule.items() if key != "own"},
            )
            for rule in rules
        ]
    )  # fmt: skip


def _end_predecessor(terms: ClockTerms) -> None:
    start = terms.valid.lower
    shortened = Func(
        Func(F("valid"), function="lower"), Value(start), function="daterange", output_field=DateRangeField()
    )
    ClockTerms.objects.filter(
        society_id=terms.society_id, status=ClockTerms.Status.APPROVED, valid__contains=start, valid__upper_inf=True,
        valid__startswith__lt=start,
    ).update(valid=shortened)  # fmt: skip


def _own(actor: Actor, terms_id: int, permission: str) -> ClockTerms:
    found = ClockTerms.objects.visible_to(actor).select_related("society").filter(pk=terms_id).first()
    if found is None:
        raise NotFound(_("There are no such terms."))
    actor.require(permission)
    return found


def _note(actor: Actor, what: str, terms: ClockTerms, **data: Any) -> None:
    data = {"name": terms.name, "version": terms.version, "sha256": terms.sha256, **data}
    record(
        actor=actor,
        verb=f"clock_terms.{what}",
        object=Reference(KIND, terms.pk),
        organisation_id=terms.society_id,
        data=data,
    )
