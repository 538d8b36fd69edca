"""Notices about declarations: each side hears what the other did, in its own language."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.core import ROLES
from accounts.access.models import Membership
from accounts.identity.models import User
from accounts.notices.services import notify
from licensing.declarations.models import Declaration


def tell_licensee(held: Declaration, what: str) -> None:
    """The firm's declarants hear that it was `accepted`, or returned with a `question`."""
    _tell(held, what, organisation_id=held.licence.licensee_id, kind="licensee", permission="declarations.declare")


def tell_society(held: Declaration) -> None:
    """The society's reviewers hear that it waits for their answer."""
    _tell(held, "waiting", organisation_id=held.licence.society_id, kind="society", permission="declarations.review")


def tell_society_of_answer(held: Declaration, question_id: int) -> None:
    """The society's reviewers hear that the firm answered a question; once a question, however often it says it anew."""
    society = held.licence.society_id
    _tell(
        held, "answered", organisation_id=society, kind="society", permission="declarations.review", about=question_id
    )


def _tell(
    held: Declaration, what: str, *, organisation_id: int, kind: str, permission: str, about: int | None = None
) -> None:
    if held.sandbox:
        return
    for language in ("en", "ko"):
        with override(language):
            subject, body = _said(held, what)
            notify(
                user_ids=people(organisation_id, kind, permission, language).values_list("id", flat=True),
                key=f"declaration-{what}:{held.pk}:{len(held.questions) if about is None else about}",
                kind="declaration",
                subject=subject,
                body=body,
                link=_link(held),
            )


def people(organisation_id: int, kind: str, permission: str, language: str) -> QuerySet[User]:
    """The people of an organisation whose roles hold the permission and who read this language."""
    roles = [role for role, allowed in ROLES[kind].items() if permission in allowed]
    staff = Membership.objects.filter(organisation_id=organisation_id, role__in=roles).values("user_id")
    return User.objects.filter(id__in=staff, language=language, is_active=True)


def _said(held: Declaration, what: str) -> tuple[str, str]:
    number: dict[str, Any] = {"number": held.pk, "licence": held.licence.ref}
    if what == "accepted":
        return (
            _("Declaration %(number)s is accepted") % number,
            _("What you declared under %(licence)s will be billed with its period.") % number,
        )
    if what == "question":
        return (
            _("Declaration %(number)s is returned with a question") % number,
            _("Answer it with an amendment: a new declaration that takes its place."),
        )
    if what == "answered":
        return (
            _("A question about declaration %(number)s is answered") % number,
            _("Read what the firm says, and settle the question where it convinces you."),
        )
    return (
        _("Declaration %(number)s waits for you") % number,
        _("It was handed in under %(licence)s with an open question. Accept it, or return it.") % number,
    )


def _link(held: Declaration) -> str:
    try:
        return reverse("licensing:declaration", args=[held.pk])
    except NoReverseMatch:  # an installation without the portal
        return ""
