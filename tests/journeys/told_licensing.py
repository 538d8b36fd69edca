"""Licensing told in the small: requests in each state, an offer that waits for both sides, and a signed licence."""

from __future__ import annotations

from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.licences.services import certificates
from licensing.tariffs.models import Tariff
from tests.journeys.example import FIRM, SOCIETY
from tests.licensing import licences_made as made


def tell(*, firm: str, society: str) -> None:
    """Everything, as rows; `firm` and `society` are the addresses of their administrators, who may still sign."""
    licensee = Organisation.objects.get(ref=FIRM)
    tariff = Tariff.objects.get(society__ref=SOCIETY, ref="WEB")
    terms = made.terms_of(tariff.society)
    ours, theirs = (User.objects.get(email=email).pk for email in (society, firm))
    before = made.offered(made.quoted(made.asked(tariff, licensee, "offered")), terms)
    licence = made.signed(before, f"{SOCIETY}-L2026-1", ours, theirs)
    certificates.issue(licence=licence)
    made.asked(tariff, licensee, "declined", reason="We do not administer these works.")
    made.offered(made.quoted(made.asked(tariff, licensee, "offered")), terms)
    made.quoted(made.asked(tariff, licensee, "quoted", renews=licence))
    made.paper_of(made.asked(tariff, licensee))
    made.paper_of(made.asked(tariff, licensee, "draft"))
