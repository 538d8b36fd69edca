"""The parties of a procedure in which rates are set, and its steps with usual words."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from accounts.identity.core import NOBODY, Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.tariffs import services
from licensing.tariffs.models import Comment, TariffVersion
from tests.accounts import people
from tests.licensing.tariff_documents import tariff

TODAY = datetime.date(2026, 11, 24)
CLOSES = datetime.date(2026, 12, 24)  # the first day on which nobody may comment any more
DECIDE_BY = datetime.date(2027, 1, 31)
DAY = datetime.timedelta(days=1)
SEOUL = datetime.timezone(datetime.timedelta(hours=9))


class Clock:
    """Now, as everything here asks for it: some moment of a day in Seoul."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = datetime.datetime(2026, 11, 24, 12, tzinfo=SEOUL)
        monkeypatch.setattr(timezone, "now", lambda: self.moment.astimezone(datetime.UTC))

    def at(self, day: datetime.date, hour: int = 12, minute: int = 0) -> None:
        self.moment = datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=SEOUL)


@dataclass(frozen=True, slots=True)
class Parties:
    society: Organisation
    body: Organisation
    proposer: User
    decider: User

    @property
    def manager(self) -> Actor:
        return actor_of_user(self.proposer, self.society.pk)

    @property
    def commissioner(self) -> Actor:
        return actor_of_user(self.decider, self.body.pk)

    def draft(self, **keys: Any) -> TariffVersion:
        document = tariff(**({"valid_from": "2027-03-01"} | keys))
        return services.draft(actor=self.manager, society=self.society, document=document)

    def publish(self, version: TariffVersion | None = None, **changed: Any) -> TariffVersion:
        terms: dict[str, Any] = {
            "body": self.body, "reasons": "Costs rose.", "effect": "Small firms pay less.", "closes": CLOSES, "decide_by": DECIDE_BY,
        }  # fmt: skip
        return services.publish(actor=self.manager, version=version or self.draft(), **(terms | changed))

    def comment(self, version: TariffVersion, actor: Actor = NOBODY, **changed: Any) -> Comment:
        said: dict[str, Any] = {"name": "Seo Yun", "standing": "creator", "text": "Too low.", "language": "en"}
        if actor.kind != "user":
            said["email"] = "seo@poet.example"
        return services.comment(actor=actor, version=version, **(said | changed))


def parties() -> Parties:
    society = people.organisation("WEB-SOCIETY", "society", name="Web Society")
    body = people.organisation("COMMISSION", "rate_body", name="Copyright Commission")
    return Parties(society, body, people.person(society, "licensing"), people.person(body))


def creator(email: str = "kim@poet.example", language: str = "ko") -> tuple[User, Actor]:
    """Somebody with an account and no organisation."""
    user = User.objects.create_user(email, "pw", name="Kim", language=language)
    return user, actor_of_user(user)
