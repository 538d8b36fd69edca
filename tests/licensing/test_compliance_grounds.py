"""A case says which reservation its uses went against, however that was made and whichever society received it."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.organisations.models import Organisation
from licensing.compliance.services.grounds import grounds
from licensing.permissions.models import Reservation
from tests.licensing.compliance_world import accepted, around
from tests.licensing.declaring import ISBN, firm, lines
from tests.licensing.parties import organisation

pytestmark = pytest.mark.django_db
EARLY = dt.datetime(2026, 1, 1, 3, tzinfo=dt.UTC)


@pytest.mark.parametrize("received_by", ["PRESS", "OTHER"])
@pytest.mark.parametrize(
    "target", [{"scheme": "isbn", "value": ISBN}, {"scheme": "doi", "value": "10.1000/x"}, {"place": "wikipedia.org"}]
)
def test_the_reservation_is_named(target: dict[str, str], received_by: str) -> None:
    """The book is declared by another identifier than the one that is reserved, the DOI is of no registered work."""
    of = firm()
    organisation("OTHER", "society")
    Reservation.objects.create(
        ref="R-1", society=Organisation.objects.get(ref=received_by), target="place" if "place" in target else "identifier",
        uses=["train"], territory=["*"], source="form", status="received", received_at=EARLY, effective_from=EARLY, **target,
    )  # fmt: skip
    world = around(of, accepted(of, lines("proprietary,B-1,10", "doi,10.1000/x,10", "domain,wikipedia.org,10")))
    cases = [case for case in world.opened().values() if case.uses.filter(status="reserved").exists()]
    assert cases
    for case in cases:
        uses = list(case.uses.filter(status="reserved"))
        assert [ground.reservation for use in uses for ground in grounds(case, uses)[use.pk]] == ["R-1"] * len(uses)
