"""Standard terms: a society drafts, revises and publishes them. What is published stays; the next version takes its place.

Publishing needs no second person: nothing is agreed until two persons sign an offer that names the version and its digest.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.licences import clauses
from licensing.licences.models import StandardTerms
from licensing.licences.services.common import check_society
from licensing.licences.services.documents import digest
from licensing.tariffs.reading import BadDocument

Status = StandardTerms.Status


@transaction.atomic
def draft(*, actor: Actor, society: Organisation, document: Any) -> StandardTerms:
    """A new version as a draft, which only the society sees. There is one draft at a time of terms with this ref."""
    check_society(actor, society)
    _check_kind(society)
    read = _parsed(document)
    _alone(society)
    of_ref = StandardTerms.objects.filter(society=society, ref=read.ref)
    if of_ref.filter(status=Status.DRAFT).exists():
        raise Conflict(
            "draft_exists",
            _("There is a draft of “%(ref)s” already. Revise it, or throw it away first.") % {"ref": read.ref},
            pointer="/terms",
        )
    version = (of_ref.aggregate(last=Max("version"))["last"] or 0) + 1
    made = StandardTerms.objects.create(society=society, ref=read.ref, version=version, **_fields(read))
    _note(actor, "drafted", made)
    return made


@transaction.atomic
def revise(*, actor: Actor, terms: StandardTerms, document: Any) -> StandardTerms:
    """Write a draft anew. Its ref stays."""
    check_society(actor, terms.society)
    read = _parsed(document)
    if read.ref != terms.ref:
        raise Refusal(
            "other_ref", _("The reference of a draft stays. Start other terms for another one."), pointer="/terms"
        )
    if not StandardTerms.objects.filter(pk=terms.pk, status=Status.DRAFT).update(**_fields(read)):
        raise _published(terms)
    terms.refresh_from_db()
    _note(actor, "revised", terms)
    return terms


@transaction.atomic
def discard(*, actor: Actor, terms: StandardTerms) -> None:
    """Throw a draft away."""
    check_society(actor, terms.society)
    _note(actor, "discarded", terms)
    if not StandardTerms.objects.filter(pk=terms.pk, status=Status.DRAFT).delete()[0]:
        raise _published(terms)


@transaction.atomic
def publish(*, actor: Actor, terms: StandardTerms) -> StandardTerms:
    """Make a draft public and fixed; the version before holds on for what was offered under it, and for nothing new."""
    check_society(actor, terms.society)
    _alone(terms.society)
    before = StandardTerms.objects.filter(society=terms.society, ref=terms.ref, status=Status.PUBLISHED)
    if before.filter(sha256=terms.sha256).exists():
        raise Refusal("nothing_changed", _("This draft says the same as the published version. Change it first."))
    before.update(status=Status.SUPERSEDED)
    now = timezone.now()
    # The digest is compared, too: what was shown to who publishes is what is published.
    shown = StandardTerms.objects.filter(pk=terms.pk, status=Status.DRAFT, sha256=terms.sha256)
    if not shown.update(status=Status.PUBLISHED, published_at=now):
        raise _published(terms)
    terms.refresh_from_db()
    _note(actor, "published", terms)
    return terms


@transaction.atomic
def import_terms(
    *, actor: Actor, society: Organisation, document: Any, published: bool = False
) -> tuple[StandardTerms, str]:
    """The document as the society's draft, or published; and whether it was `created`, `updated` or `unchanged`."""
    check_society(actor, society)
    read = _parsed(document)
    of_ref = StandardTerms.objects.filter(society=society, ref=read.ref)
    same = of_ref.filter(sha256=digest(read.said())).exclude(status=Status.SUPERSEDED).order_by("-version").first()
    held = of_ref.filter(status=Status.DRAFT).first()
    if same is not None and (same.status == Status.PUBLISHED or not published):
        return same, "unchanged"
    if held is not None:
        made, outcome = revise(actor=actor, terms=held, document=document), "updated"
    else:
        made, outcome = draft(actor=actor, society=society, document=document), "created"
    return (publish(actor=actor, terms=made) if published else made), outcome


def document_of(terms: StandardTerms) -> dict[str, Any]:
    """A version as the document that it was read from."""
    return {
        "terms": terms.ref,
        "name": {"en": terms.name, "ko": terms.name_ko},
        "conditions": terms.conditions,
        "clauses": terms.clauses,
    }


def _parsed(document: Any) -> clauses.Terms:
    try:
        return clauses.parse(document)
    except BadDocument as bad:
        raise bad.translated(_) from None


def _fields(read: clauses.Terms) -> dict[str, Any]:
    said = read.said()
    return {
        "name": read.name["en"],
        "name_ko": read.name["ko"],
        "clauses": said["clauses"],
        "conditions": said["conditions"],
        "sha256": digest(said),
    }


def _check_kind(society: Organisation) -> None:
    if society.kind != Organisation.Kind.SOCIETY:
        raise Refusal("not_a_society", _("“%(ref)s” is not a society.") % {"ref": society.ref}, pointer="/society")


def _alone(society: Organisation) -> None:
    """One hand at a time on a society's terms, so that numbers follow each other."""
    Organisation.objects.select_for_update(no_key=True).get(pk=society.pk)


def _published(terms: StandardTerms) -> Conflict:
    return Conflict(
        "not_the_draft_seen",
        _("Version %(version)s of “%(ref)s” is published, or was changed meanwhile. Load the page again.")
        % {"version": terms.version, "ref": terms.ref},
    )


def _note(actor: Actor, what: str, terms: StandardTerms) -> None:
    record(
        actor=actor,
        verb=f"standard_terms.{what}",
        object=Reference("standard_terms", terms.pk),
        organisation_id=terms.society_id,
        data={"ref": terms.ref, "version": terms.version, "sha256": terms.sha256},
    )
