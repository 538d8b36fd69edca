"""One work under two numbers made one, and the other titles by which a work is known; both can be taken back."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.intake.importing import check_society, serialised
from licensing.repertoire.core import clean_name
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.models import Work, WorkAlias

_LONGEST_REASON = 1000
_MOST_ALIASES = 200


def named_work(*, society: Organisation, text: str) -> Work:
    """The society's work with this reference or identifier (`isbn:…`). Raises NotFound."""
    works = Work.objects.filter(society=society)
    found = works.filter(ref=text.strip()).first()
    if found is None:
        try:
            scheme, value = split(text.strip())
            found = works.named(scheme, normalise(scheme, value)).filter(society=society).first()
        except BadIdentifier:
            found = None
    if found is None:
        raise NotFound(_("There is no work with this reference or identifier."), pointer="/into")
    return found


def survivor(work: Work) -> Work:
    """The work that this one is today: itself, or what it was merged into."""
    while work.merged_into is not None:
        work = work.merged_into
    return work


@transaction.atomic
def merge_works(*, actor: Actor, work: Work, into: Work, reason: str) -> Work:
    """Say that a work is another one, which survives: what names the one means the other from now on.

    Shares, mandates and payments are those of the survivor. What was declared keeps its row. Returns the survivor.
    """
    check_society(actor, work.society, "works.import")
    serialised(work.society)
    reason = _reason(reason)
    if into.society_id != work.society_id:
        raise NotFound(_("There is no such work."))
    held = {each.pk: each for each in Work.objects.select_for_update(of=("self",)).filter(pk__in=[work.pk, into.pk])}
    if held[work.pk].merged_into_id is not None:
        raise Conflict("merged_already", _("This work was merged into another already."))
    last = survivor(held[into.pk])
    if last.pk == work.pk:
        raise Conflict("merged_into_itself", _("A work is not merged into itself."), pointer="/into")
    _set(actor, held[work.pk], last, "merged", {"into": last.ref, "reason": reason})
    return last


@transaction.atomic
def unmerge_work(*, actor: Actor, work: Work, reason: str) -> Work:
    """Take a merging back: the work stands for itself again, with its own shares. Raises Conflict where it does already."""
    check_society(actor, work.society, "works.import")
    serialised(work.society)
    reason = _reason(reason)
    held = Work.objects.select_for_update(of=("self",)).select_related("society").get(pk=work.pk)
    if held.merged_into is None:
        raise Conflict("not_merged", _("This work stands for itself."))
    _set(actor, held, None, "unmerged", {"from": held.merged_into.ref, "reason": reason})
    return held


@transaction.atomic
def add_alias(*, actor: Actor, work: Work, title: str, creators: str = "") -> WorkAlias:
    """Another title by which declared lines may call the work; without creators, with those of the work."""
    check_society(actor, work.society, "works.import")
    serialised(work.society)
    title, creators = clean_name(title), clean_name(creators)
    if not title or len(title) > 1000 or len(creators) > 2000:
        raise Refusal("bad_title", _("Give a title of ordinary length."), pointer="/title")
    if work.aliases.count() >= _MOST_ALIASES:
        raise Refusal("too_many", _("A work has at most 200 other titles."), pointer="/title")
    alias, made = WorkAlias.objects.get_or_create(society=work.society, work=work, title=title, creators=creators)
    if made:
        _note(actor, work, "alias_added", {"title": title, "creators": creators})
    return alias


@transaction.atomic
def remove_alias(*, actor: Actor, alias: WorkAlias) -> None:
    check_society(actor, alias.society, "works.import")
    serialised(alias.society)
    if not WorkAlias.objects.filter(pk=alias.pk).delete()[0]:
        raise NotFound(_("There is no such title."))
    _note(actor, alias.work, "alias_removed", {"title": alias.title, "creators": alias.creators})


def _reason(text: str) -> str:
    if not text.strip() or len(text) > _LONGEST_REASON:
        raise Refusal("no_reason", _("Say why, in at most 1,000 characters."), pointer="/reason")
    return text.strip()


def _set(actor: Actor, work: Work, into: Work | None, what: str, data: dict[str, Any]) -> None:
    work.merged_into = into
    work.save(update_fields=["merged_into"])
    _note(actor, work, what, data)


def _note(actor: Actor, work: Work, what: str, data: dict[str, Any]) -> None:
    record(
        actor=actor,
        verb=f"work.{what}",
        object=Reference("work", work.pk),
        organisation_id=work.society_id,
        data={"ref": work.ref} | data,
    )
