"""The tax law of a day, and the papers that lower it, as the calculation needs them; a new version of a rule, by the operator."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, Reference
from royalties.payees.core import TaxRules, Treaty, parse
from royalties.payees.models import TaxPaper, TaxRule
from royalties.payees.shipped import digest


def tax_rules(on: datetime.date, jurisdiction: str = "KR") -> TaxRules:
    """The rules of a payer's country (`society.country`) on a day, for `core.withhold`."""
    found = TaxRule.objects.in_force(on).filter(jurisdiction=jurisdiction).order_by("ref")
    return TaxRules(jurisdiction, tuple(parse(rule.document | _end(rule)) for rule in found))


def treaties(paper_ids: Iterable[int]) -> dict[int, Treaty]:
    """Papers by id, for `core.withhold(treaty=…)`; only approved ones."""
    found = TaxPaper.objects.filter(pk__in=set(paper_ids), status=TaxPaper.Status.APPROVED)
    return {paper.pk: as_treaty(paper) for paper in found}


def as_treaty(paper: TaxPaper) -> Treaty:
    return Treaty(
        kind=paper.kind,
        country=paper.country,
        valid_from=paper.valid.lower or datetime.date.min,
        valid_to=paper.valid.upper,
        rate=None if paper.percent is None else Fraction(paper.percent) / 100,
        local_included=paper.local_tax_included,
        claims=paper.claims_treaty,
        id=paper.pk,
    )


@transaction.atomic
def import_tax_rule(*, actor: Actor, document: Any) -> tuple[TaxRule, bool]:
    """Put one version of a rule of law on record; an open one before it ends where this begins. Returns (rule, new).

    The law is nobody's choice: the operator alone does this, no society may. The same document again changes nothing.
    """
    if not actor.is_system:
        raise Forbidden(_("Tax law is put on record by the operator of this installation, for everybody alike."))
    said, sha256 = parse(document), digest(document)
    known = TaxRule.objects.filter(ref=said.ref, version=said.version).first()
    if known is not None:
        if known.sha256 != sha256:
            raise Conflict(
                "tax_rule_exists",
                _("%(rule)s exists with another content. Give the changed rule the next version number.")
                % {"rule": known},
                pointer="/version",
            )
        return known, False
    same = TaxRule.objects.filter(jurisdiction=said.jurisdiction, applies_to=said.applies_to)
    before = same.filter(valid__startswith__lt=said.valid_from, valid__endswith=None).first()
    if before is not None:
        TaxRule.objects.filter(pk=before.pk).update(valid=DateRange(before.valid.lower, said.valid_from))
    try:
        with transaction.atomic():
            made = TaxRule.objects.create(
                ref=said.ref, version=said.version, jurisdiction=said.jurisdiction, applies_to=said.applies_to,
                valid=DateRange(said.valid_from, said.valid_to), document=document, sha256=sha256,
            )  # fmt: skip
    except IntegrityError as error:
        if "tax_rule_is_one_a_day" not in str(error):
            raise
        raise Conflict(
            "tax_rules_overlap",
            _("Another rule for the same payees is in force on some of these days."),
            pointer="/valid_from",
        ) from None
    data = {"ref": made.ref, "version": made.version, "sha256": sha256}
    record(
        actor=actor, verb="tax_rule.imported", object=Reference("tax_rule", made.pk), organisation_id=None, data=data
    )
    return made, True


def _end(rule: TaxRule) -> dict[str, Any]:
    """The last day as it is now: a later version may have ended an open one."""
    return {"valid_to": rule.valid.upper.isoformat() if rule.valid.upper else None}
