"""A society with staff and members who have accounts: what joining, registering and signing start from."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.permissions.models import MandateTerms
from licensing.permissions.services import signing
from licensing.repertoire.models import Holder, Representation
from tests.accounts import people


@dataclass(frozen=True)
class Member:
    """Somebody who acts for a holder."""

    user: User
    holder: Holder

    @property
    def actor(self) -> Actor:
        return actor_of_user(self.user)


def society(ref: str = "SOC") -> Organisation:
    return people.organisation(ref, "society")


def member(of: Organisation, ref: str, name: str, scope: str = "member", **fields: Any) -> Member:
    user = User.objects.create_user(f"{ref.lower()}@{of.ref.lower()}.example", "pw", name=name)
    holder = Holder.objects.create(society=of, ref=ref, name=name, **({"email": user.email} | fields))
    Representation.objects.create(user=user, holder=holder, scope=scope)
    return Member(user, holder)


def terms(of: Organisation, days: int = 90, to: str = "month", text: str = "You authorise us.") -> MandateTerms:
    since = datetime.date(2026, 1, 1)
    return signing.set_terms(
        actor=SYSTEM,
        society=of,
        text=text,
        text_ko="권한을 맡깁니다.",
        notice_days=days,
        notice_to=to,
        valid_from=since,
    )
