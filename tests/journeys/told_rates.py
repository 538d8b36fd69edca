"""A rate on its way in the story that the pages are looked at with: a draft, and a proposal that is discussed."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.tariffs import examples, services
from tests.journeys import example


def tell(*, society: str, rates: str, firm: str) -> None:
    """The society drafts its next version, and asks what everybody thinks of another tariff; a firm answers."""
    actors = {who: actor_of_user(User.objects.get(email=email)) for who, email in locals().items()}
    ours = Organisation.objects.get(ref=example.SOCIETY)
    following = example.TARIFF | {"version": 3, "valid_from": "2028-01-01", "minimum": "1000"}
    services.draft(actor=actors["society"], society=ours, document=following)
    put = services.draft(actor=actors["society"], society=ours, document=examples.read("works-by-firm-size"))
    closes = timezone.localdate() + timedelta(days=30)
    put = services.publish(
        actor=actors["society"], version=put, body=Organisation.objects.get(ref=example.RATES), closes=closes,
        decide_by=closes + timedelta(days=60), reasons="Small firms should pay less.", effect="They would pay half.",
    )  # fmt: skip
    for text in ("We welcome the tier for small firms.", "The step between the tiers is steep."):
        said = services.comment(
            actor=actors["firm"],
            version=put,
            name="Han Bit",
            standing="firm",
            organisation="Hanbit",
            text=text,
            language="en",
        )
    services.moderate(actor=actors["rates"], comment=said)
