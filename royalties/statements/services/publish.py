"""Publish a run: its statements appear all at once, and those who act for the holders hear of it."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

import royalties.statements
from accounts.identity.core import Actor
from accounts.identity.models import User
from accounts.notices.services import notify
from licensing.repertoire.models import Representation
from royalties.distribution import services as distribution
from royalties.distribution.models import Run
from royalties.statements.models import Statement

SCRIPT = Path(royalties.statements.__file__).with_name("publish.sql")


@transaction.atomic
def publish(*, actor: Actor, run: Run) -> Run:
    """Bring a posted run to `published` and make its statements. Publishing twice changes nothing."""
    published = distribution.publish(actor=actor, run=run)
    if not Statement.objects.filter(run=published).exists():
        parameters = {"run": published.pk, "moment": published.published_at, "prefix": f"R{published.pk}-"}
        with connection.cursor() as cursor:
            cursor.execute(SCRIPT.read_text(encoding="utf-8"), parameters)
        _tell(published)
    return published


def _tell(run: Run) -> None:
    """A notice to each person who may see one of these statements, in their language."""
    money = Representation.objects.exclude(scope=Representation.Scope.CATALOGUE)
    people = money.filter(holder_id__in=Statement.objects.filter(run=run).values("holder_id")).values("user_id")
    for language in ("en", "ko"):
        users = list(User.objects.filter(id__in=people, language=language, is_active=True).values_list("id", flat=True))
        with override(language):
            notify(
                user_ids=users,
                key=f"run-published:{run.pk}",
                kind="statement",
                subject=_("Your royalty statement from %(society)s is here") % {"society": run.society},
                body=_("It says what your works earned, from whom, and why that amount."),
                link=_link(),
            )


def _link() -> str:
    try:
        return reverse("royalties:statements")
    except NoReverseMatch:  # an installation without the portal
        return ""
