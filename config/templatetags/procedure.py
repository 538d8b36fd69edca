"""The way of a tariff version in steps: drafted, published, consultation, decision, in force, superseded."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.models import Event
from accounts.identity.core import Actor
from config import formats
from config.formats import day as day_said
from licensing.tariffs import core
from licensing.tariffs.models import PRICING, Decision, TariffVersion
from licensing.tariffs.services import may_decide

register = template.Library()
A_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what, when, in which state (done, current, todo, failed), the words that go with it, and where to read on."""

    label: str
    when: str = ""
    state: str = "done"
    text: str = ""
    words: str = ""
    link: str = ""
    link_label: str = ""


@register.simple_tag
def procedure_of(version: TariffVersion) -> list[Step]:
    """The steps of this version so far, and what comes next."""
    decisions = list(
        Decision.objects.select_related("body", "result", "version")
        .filter(version_id__in=[version.pk, *([version.amends_id] if version.amends_id else [])])
        .order_by("decided_at", "pk")
    )
    own = [decision for decision in decisions if decision.version_id == version.pk]
    steps = [_begun(version)]
    if version.amends is not None:
        steps.append(_amending(version, [d for d in decisions if d.result_id == version.pk]))
    steps += _published(version)
    steps += [_decided(version, decision) for decision in own]
    steps += _ended(version) or _coming(version)
    return steps


@register.simple_tag
def procedure_acts(version: TariffVersion, actor: Actor) -> dict[str, Any]:
    """What this actor may do with the version now."""
    own = actor.can("tariffs.manage") and actor.organisation_id == version.tariff.society_id
    unpublished = version.published_at is None
    return {
        "publish": own and unpublished and version.status in ("draft", "proposed"),
        "draft": own and version.status == "draft",
        "withdraw": own and version.status == "proposed",
        "decide": may_decide(actor, version),
    }


def _begun(version: TariffVersion) -> Step:
    if version.status == "draft":
        return Step(_("Drafted"), _moment(version.created_at), "current", _("Only the society sees it."))
    if version.published_at is None and version.amends_id is None:
        return Step(_("Put on record"), _moment(version.created_at))
    return Step(_("Drafted"), _moment(version.created_at))


def _amending(version: TariffVersion, decisions: list[Decision]) -> Step:
    before = version.amends
    assert before is not None
    link = f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={before.version}"
    words = decisions[0].reasons if decisions else ""
    who = str(version.determined_by) if version.determined_by else ""
    return Step(
        _("Determined in place of version %(number)s") % {"number": before.version},
        _moment(version.determined_at),
        text=who,
        words=words,
        link=link,
        link_label=_("What was proposed"),
    )


def _published(version: TariffVersion) -> list[Step]:
    if version.published_at is None or version.consultation is None:
        return []
    window, today = version.consultation, timezone.localdate()
    link = reverse("licensing:consultation", args=[version.pk])
    open_now = version.takes_comments(today)
    last = day_said(window.upper - A_DAY)
    text = _("Open until %(day)s") if open_now else _("Closed on %(day)s")
    return [
        Step(_("Published with reasons"), _moment(version.published_at)),
        Step(
            _("Consultation"),
            state="current" if open_now else "done",
            text=text % {"day": last},
            link=link,
            link_label=_("Read the comments and add yours") if open_now else _("Read the comments"),
        ),
    ]


def _decided(version: TariffVersion, decision: Decision) -> Step:
    link = label = ""
    if decision.result is not None and decision.result_id != version.pk:
        link = f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={decision.result.version}"
        label = _("The text as it was determined: version %(number)s") % {"number": decision.result.version}
    return Step(
        _("Decision: %(outcome)s") % {"outcome": decision.get_outcome_display()},
        _moment(decision.decided_at),
        "failed" if decision.outcome == Decision.Outcome.REFUSED else "done",
        str(decision.body),
        decision.reasons,
        link,
        label,
    )


def _coming(version: TariffVersion) -> list[Step]:
    """What is still to come, or has come into force."""
    today, valid, steps = timezone.localdate(), version.valid, []
    if version.status in ("proposed", "interim"):
        closed = version.consultation is None or today >= version.consultation.upper
        due = version.decide_by
        when = _("asked for by %(day)s") % {"day": day_said(due)} if due else ""
        who = str(version.addressed_to) if version.addressed_to else ""
        steps.append(Step(_("Decision of the rate body"), when, "current" if closed else "todo", who))
    if version.status in PRICING and valid.lower <= today:
        ended = valid.upper is not None and valid.upper <= today
        if ended:
            steps.append(Step(_("Was in force"), _("until %(day)s") % {"day": day_said(valid.upper - A_DAY)}))
        else:
            steps.append(Step(_("In force"), _("since %(day)s") % {"day": day_said(valid.lower)}, "current"))
    else:
        steps.append(Step(_("Comes into force"), _("on %(day)s") % {"day": day_said(valid.lower)}, "todo"))
    if version.status in PRICING and valid.upper is not None:
        follower = (
            version.tariff.versions.filter(status__in=PRICING, valid__startswith=valid.upper)
            .order_by("version")
            .first()
        )
        if follower is not None:
            link = f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={follower.version}"
            label = _("Version %(number)s") % {"number": follower.version}
            done = "done" if valid.upper <= today else "todo"
            when = _("on %(day)s") % {"day": day_said(valid.upper)}
            steps.append(Step(_("Superseded by a later version"), when, done, link=link, link_label=label))
    return steps


def _ended(version: TariffVersion) -> list[Step]:
    """How it ended without ever pricing, or without pricing any more."""
    if version.status == "withdrawn":
        return [Step(_("Withdrawn by the society"), state="failed", words=_reason_of_withdrawal(version))]
    if version.status == "replaced":
        return [Step(_("Replaced with effect from its first day"), state="done")]
    if version.status in ("refused", "amended"):
        return [Step(_("Never came into force"), state="done")]
    return []


def _reason_of_withdrawal(version: TariffVersion) -> str:
    event = Event.objects.about("tariff_version", version.pk).filter(verb="tariff_version.withdrawn").first()
    return str(event.data.get("reason", "")) if event else ""


def _moment(moment: datetime.datetime | None) -> str:
    return day_said(timezone.localdate(moment)) if moment else ""


@register.simple_tag
def figures_of(version: TariffVersion) -> dict[str, Any]:
    """The predicted effect as a page shows it: the rows in words, and what changes in each; empty without figures."""
    figures = version.figures
    if not figures:
        return {}
    days = formats.period(*(datetime.date.fromisoformat(figures[name]) for name in ("since", "until")))
    if figures.get("withheld"):
        return {"withheld": True, "days": days}
    rows = [row | {"label": _tiers(row), "change": row["after"] - row["before"]} for row in figures.get("by_tier", [])]
    return figures | {"rows": rows, "days": days, "change": figures["after"] - figures["before"]}


def _tiers(row: dict[str, Any]) -> str:
    """The tiers of a row: several stand together where one alone would show what a firm pays."""
    names = [name or _("without a tier") for name in row["tiers"]]
    return ", ".join(names)


@register.simple_tag
def effect_link(version: TariffVersion) -> str:
    """Where the predicted effect is worked out."""
    return reverse("licensing:tariff_effect", args=[version.pk])


@register.simple_tag
def schedule_of(version: TariffVersion) -> core.Schedule:
    """The rates of a version, for the pages that show them in short."""
    return core.parse(version.document)
