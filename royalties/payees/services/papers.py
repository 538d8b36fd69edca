"""Papers that lower a tax: put on record by one person, approved by another, counting on their days only."""

from __future__ import annotations

import datetime
import hashlib
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from licensing.intake.models import StoredFile
from licensing.repertoire.importing.holders import countries
from licensing.repertoire.models import Representation
from royalties.payees.core import last_day_of_w8
from royalties.payees.models import Payee, TaxPaper
from royalties.payees.services.guards import MANAGE, enter
from royalties.payees.services.law import tax_rules

KIND = "tax_paper"
_DAY = datetime.timedelta(days=1)


@transaction.atomic
def request_paper(
    *,
    actor: Actor,
    payee: Payee,
    kind: str,
    country: str,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
    percent: Decimal | None = None,
    local_tax_included: bool = True,
    claims_treaty: bool = True,
    document: StoredFile | None = None,
) -> TaxPaper:
    """Put a paper on record for a second person to approve. `valid_from` of a W-8 is the day of its signature.

    `valid_to` is the first day on which it no longer counts. A W-8 counts until the end of the third year after its
    signature at most; an application of a treaty needs an end. Without `percent` the rule's own table must know the country.
    """
    enter(actor, payee.society)
    country = country.strip().upper()
    valid_to = _end(kind, valid_from, valid_to)
    _check(kind, country, valid_from, valid_to, percent, claims_treaty, payee.society.country)
    if document is not None and document.organisation_id != payee.society_id:
        raise NotFound(_("There is no such file."))
    made = TaxPaper.objects.create(
        society_id=payee.society_id, payee=payee, kind=kind, country=country, valid=DateRange(valid_from, valid_to),
        percent=percent, local_tax_included=local_tax_included, claims_treaty=claims_treaty and kind != TaxPaper.Kind.W9,
        document=document, requested_by_id=actor.user_id, requested_at=timezone.now(),
    )  # fmt: skip
    about = Reference(KIND, made.pk)
    data = {"payee": payee.pk, "kind": kind, "country": country, "percent": None if percent is None else str(percent)}
    record(actor=actor, verb="tax_paper.requested", object=about, organisation_id=payee.society_id, data=data)
    if actor.kind == "user":
        request_approval(
            actor=actor, kind=KIND, object=about, organisation_id=payee.society_id, subject_sha256=_subject(made)
        )
    return made


@transaction.atomic
def decide_paper(*, actor: Actor, paper: TaxPaper, approve: bool, reason: str = "") -> TaxPaper:
    held = _own(actor, paper)
    approval = Approval.objects.pending().about(KIND, held.pk).filter(kind=KIND).first()
    if approval is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for this approval, or it is decided. Look again."))
    if Representation.objects.filter(user_id=actor.user_id or 0, holder_id=held.payee.holder_id or 0).exists():
        raise Forbidden(
            _("You are paid by these details yourself. Somebody else has to decide."), code="second_person_needed"
        )
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=_subject(held))
    _move(held, "requested", "approved" if approve else "refused", actor)
    _told(actor, held, reason)
    return held


@transaction.atomic
def revoke_paper(*, actor: Actor, paper: TaxPaper, reason: str) -> TaxPaper:
    """Let a paper count no longer, from now on: what was paid under it stays."""
    held = _own(actor, paper)
    if not reason.strip():
        raise Refusal("reason_needed", _("Say why it no longer counts."), pointer="/reason")
    _move(held, "approved", "revoked", actor)
    _told(actor, held, reason)
    return held


def _own(actor: Actor, paper: TaxPaper) -> TaxPaper:
    held = TaxPaper.objects.visible_to(actor).filter(pk=paper.pk).first()
    if held is None:
        raise NotFound(_("There is no such certificate."))
    if not (actor.is_system or actor.is_society):
        raise Forbidden(_("The society decides about tax certificates."))
    actor.require(MANAGE)
    return held


def _end(kind: str, valid_from: datetime.date, valid_to: datetime.date | None) -> datetime.date | None:
    if kind not in (TaxPaper.Kind.W8BEN, TaxPaper.Kind.W8BENE):
        return valid_to
    last = last_day_of_w8(valid_from) + _DAY
    return min(last, valid_to) if valid_to else last


def _check(
    kind: str,
    country: str,
    valid_from: datetime.date,
    valid_to: datetime.date | None,
    percent: Decimal | None,
    claims: bool,
    payer: str,
) -> None:
    if kind not in TaxPaper.Kind.values:
        known = ", ".join(TaxPaper.Kind.values)
        raise Refusal("unknown_kind", _("Choose one of: %(known)s.") % {"known": known}, pointer="/kind")
    if country not in countries():
        raise Refusal("unknown_country", _("Write a country as two letters, such as KR."), pointer="/country")
    if valid_to is not None and valid_to <= valid_from:
        raise Refusal("empty_term", _("The end must be later than the start."), pointer="/valid_to")
    if kind == TaxPaper.Kind.TREATY and valid_to is None:
        raise Refusal("end_needed", _("Say until when the certificate counts."), pointer="/valid_to")
    if percent is not None and not 0 <= percent <= 50:
        raise Refusal("invalid_percent", _("A treaty's rate is a percentage from 0 to 50."), pointer="/percent")
    if kind != TaxPaper.Kind.W9 and claims and percent is None and country not in treaty_countries(payer):
        raise Refusal(
            "no_treaty_rate",
            _("No rate is on record for a treaty with %(country)s. Enter the one that the certificate claims.")
            % {"country": country},
            pointer="/percent",
        )


def treaty_countries(payer: str) -> frozenset[str]:
    """The countries of whose treaties the law of the payer's country has the rate in its table today."""
    return frozenset().union(*(rule.treaties for rule in tax_rules(timezone.localdate(), payer).rules))


def _subject(paper: TaxPaper) -> str:
    said = [
        paper.pk,
        paper.payee_id,
        paper.kind,
        paper.country,
        paper.valid.lower,
        paper.valid.upper,
        paper.local_tax_included,
    ]
    percent = "" if paper.percent is None else str(Decimal(paper.percent).normalize())
    return hashlib.sha256("\n".join(map(str, [*said, paper.claims_treaty, percent])).encode()).hexdigest()


def _move(paper: TaxPaper, expected: str, status: str, actor: Actor) -> None:
    change: dict[str, Any] = {"status": status}
    if status != "revoked":  # who approved it stays on record
        change |= {"decided_by_id": actor.user_id, "decided_at": timezone.now()}
    if TaxPaper.objects.filter(pk=paper.pk, status=expected).update(**change) != 1:
        raise Conflict("paper_changed", _("This certificate changed meanwhile. Look again."))
    paper.refresh_from_db()


def _told(actor: Actor, paper: TaxPaper, reason: str) -> None:
    record(
        actor=actor, verb=f"tax_paper.{paper.status}", object=Reference(KIND, paper.pk), organisation_id=paper.society_id,
        data={"payee": paper.payee_id, "reason": reason},
    )  # fmt: skip
