"""Two workers at one site at the same moment, and two members who prove one host."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.identity.core import Conflict
from licensing.permissions.models import Site
from licensing.permissions.services import sites
from licensing.repertoire.models import Holder
from tests.licensing.parties import organisation, staff
from tests.together import together


@pytest.fixture
def registered(committed_db: Any) -> list[Site]:
    """One host, put on record by two members."""
    society = organisation("KOLAA", "society")
    holders = [Holder.objects.create(society=society, ref=ref, name=ref) for ref in ("H-1", "H-2")]
    return [
        Site.objects.create(
            society=society, holder=holder, host="example.com", token=holder.ref, next_fetch_at=timezone.now()
        )
        for holder in holders
    ]


def test_of_two_at_once_only_one_reads_and_only_one_proves(registered: list[Site]) -> None:
    first, second = registered
    claims = together(*[lambda: sites._claim(first.pk)] * 4)
    assert sum(claim is not None for claim in claims) == 1

    keeper = staff(first.society, "sites.manage")
    proofs = together(*[lambda site=site: sites.mark_proved(actor=keeper, site=site) for site in (first, second)])
    assert sorted(type(proof) is Site for proof in proofs) == [False, True]
    assert [proof.code for proof in proofs if isinstance(proof, Conflict)] == ["proved_by_another"]
    assert Site.objects.filter(proved_at__isnull=False).count() == 1
