"""Tell the society, the rate body and those who commented what became of a proposal: once each.

Licensees are told by the floor above, which knows whose licence is under which tariff.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.models import Membership
from accounts.identity.models import User
from accounts.notices.services import notify, send_letter
from licensing.tariffs.models import Comment, TariffVersion

_ROLES: Final = {"society": ("licensing", "administrator"), "rate_body": ("administrator",)}
KIND: Final = "tariff"


def staff(organisation_id: int, kind: str) -> list[int]:
    """Those of an organisation who look after tariffs."""
    found = Membership.objects.filter(organisation_id=organisation_id, role__in=_ROLES[kind], user__is_active=True)
    return list(found.values_list("user_id", flat=True).distinct())


def tell(user_ids: Iterable[int], key: str, said: Callable[[], tuple[str, str]], link: str) -> None:
    """The same to each of them, in the language of each, once a key."""
    languages: dict[str, list[int]] = {}
    for user, language in User.objects.filter(pk__in=list(user_ids)).values_list("pk", "language"):
        languages.setdefault(language, []).append(user)
    for language, people in languages.items():
        with override(language):
            subject, body = said()
            notify(user_ids=people, key=key, kind=KIND, subject=subject, body=body, link=link)


def named(version: TariffVersion) -> dict[str, str]:
    return {"tariff": str(version.tariff), "number": str(version.version)}


def of_publication(version: TariffVersion) -> None:
    """To the rate body that it is put to."""
    if version.addressed_to_id is None:
        return

    def said() -> tuple[str, str]:
        body = _("Comments are open. You moderate them, and decide by %(day)s.") % {"day": version.decide_by}
        return _("A proposal is put to you: %(tariff)s, version %(number)s") % named(version), body

    tell(staff(version.addressed_to_id, "rate_body"), f"tariff-published:{version.pk}", said, page(version))


def of_withdrawal(version: TariffVersion) -> None:
    def said() -> tuple[str, str]:
        return (
            _("A proposal was withdrawn: %(tariff)s, version %(number)s") % named(version),
            _("The society took it back before it was decided. Nothing changes."),
        )

    people = commenters(version)
    if version.addressed_to_id:
        people += staff(version.addressed_to_id, "rate_body")
    tell(people, f"tariff-withdrawn:{version.pk}", said, page(version))


def of_decision(version: TariffVersion) -> None:
    """To the society, and to those who commented."""

    def said() -> tuple[str, str]:
        body = _("How it was decided: %(outcome)s. The reasons are public.") % {"outcome": version.get_status_display()}
        return _("The rate body has decided: %(tariff)s, version %(number)s") % named(version), body

    people = staff(version.tariff.society_id, "society") + commenters(version)
    tell(people, f"tariff-decided:{version.pk}:{version.status}", said, page(version))


def of_waiting_comments(version: TariffVersion) -> None:
    """To the rate body, once a day on which comments come in."""
    if version.addressed_to_id is None:
        return

    def said() -> tuple[str, str]:
        subject = _("Comments wait to be published: %(tariff)s, version %(number)s") % named(version)
        return subject, _("Read each of them, and publish it or name the ground on which you do not.")

    key = f"comments-waiting:{version.pk}:{timezone.localdate()}"
    tell(staff(version.addressed_to_id, "rate_body"), key, said, reverse("licensing:rate_work"))


def of_moderation(comment: Comment) -> None:
    """To whoever wrote it; and, once a day, to the society, which may answer."""
    published = comment.status == Comment.Status.PUBLISHED

    def said() -> tuple[str, str]:
        if published:
            return _("Your comment %(ref)s is published") % {"ref": comment.ref}, ""
        return (
            _("Your comment %(ref)s is not published") % {"ref": comment.ref},
            _("The rate body gives this ground: %(ground)s.") % {"ground": comment.get_ground_display()},
        )

    key, link = f"comment-moderated:{comment.pk}", page(comment.version)
    if comment.user_id:
        tell([comment.user_id], key, said, link)
    elif comment.email:
        with override(comment.language):
            subject, body = said()
        send_letter(email=comment.email, language=comment.language, key=key, subject=subject, body=body, link=link)
    if published:
        tell(
            staff(comment.version.tariff.society_id, "society"), _daily("published", comment), _to_answer(comment), link
        )


def ask_to_confirm(comment: Comment, key: str) -> None:
    """Mail the link by which whoever commented confirms that it was them."""
    with override(comment.language):
        subject = _("Confirm your comment %(ref)s") % {"ref": comment.ref}
        body = _(
            "Somebody, you we hope, wrote a comment on “%(tariff)s” with this e-mail address. Open this link by %(day)s to "
            "confirm it; without that it does not count. If it was not you, do nothing."
        ) % {"tariff": comment.version.tariff, "day": last_day(comment.version)}
    link = f"{reverse('licensing:comment_confirm', args=[comment.ref])}?key={key}"
    about = f"comment-confirm:{comment.pk}:{comment.key_sha256[:16]}"
    send_letter(email=comment.email, language=comment.language, key=about, subject=subject, body=body, link=link)


def commenters(version: TariffVersion) -> list[int]:
    """The people with an account whose comments were received."""
    found = version.comments.exclude(status=Comment.Status.UNCONFIRMED).exclude(user=None)
    return list(found.order_by().values_list("user_id", flat=True).distinct())


def last_day(version: TariffVersion) -> datetime.date | None:
    """The last day on which comments count."""
    return version.consultation.upper - datetime.timedelta(days=1) if version.consultation else None


def page(version: TariffVersion) -> str:
    if version.consultation is not None:
        return reverse("licensing:consultation", args=[version.pk])
    return f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={version.version}"


def _daily(what: str, comment: Comment) -> str:
    return f"comments-{what}:{comment.version_id}:{timezone.localdate()}"


def _to_answer(comment: Comment) -> Callable[[], tuple[str, str]]:
    def said() -> tuple[str, str]:
        subject = _("New comments on your proposal: %(tariff)s, version %(number)s") % named(comment.version)
        return subject, _("You can answer each of them; the answer stands beside it.")

    return said
