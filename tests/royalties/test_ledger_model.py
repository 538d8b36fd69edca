"""The ledger against a model of a few lines: whatever is posted, reversed or refused, both hold the same balances."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from accounts.organisations.models import Organisation
from royalties.ledger import services
from royalties.ledger.models import Account, Journal
from royalties.ledger.services import Transfer

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 1)
KINDS = {"bank": -1, "pool": 1, "payable": 1, "suspense": 1}  # the side on which each must stay

transfer = st.tuples(st.sampled_from(list(KINDS)), st.sampled_from(list(KINDS)), st.integers(1, 50)).filter(
    lambda t: t[0] != t[1]
)
steps = st.lists(st.one_of(st.lists(transfer, min_size=1, max_size=4), st.integers(0, 9)), max_size=12)


def moved(balances: dict[str, int], transfers: list[tuple[str, str, int]], sign: int = 1) -> dict[str, int] | None:
    """Credits less debits after these transfers; None where one would be on the wrong side."""
    after = dict(balances)
    for debit, credit, amount in transfers:
        after[debit] -= sign * amount
        after[credit] += sign * amount
    return after if all(after[kind] * side >= 0 for kind, side in KINDS.items()) else None


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_ledger_holds_what_the_model_holds(data: st.DataObject) -> None:
    """A list of transfers is posted; a number reverses the journal of that place, if there is one."""
    society = Organisation.objects.create(ref=f"S-{Organisation.objects.count()}", kind="society", name="A society")
    ids = {kind: services.account(society_id=society.pk, kind=kind, currency="KRW") for kind in KINDS}
    balances, posted = dict.fromkeys(KINDS, 0), list[tuple[Journal, list[tuple[str, str, int]]]]()
    reversed_ones = set[int]()
    for n, step in enumerate(data.draw(steps)):
        try:
            if isinstance(step, int):
                if step >= len(posted):
                    continue
                journal, transfers = posted[step]
                expected = None if step in reversed_ones else moved(balances, transfers, -1)
                services.reverse(journal=journal, key=f"{society.pk}:{n}", effective_on=DAY)
                reversed_ones.add(step)
            else:
                expected = moved(balances, step)
                legs = [Transfer(ids[debit], ids[credit], amount) for debit, credit, amount in step]
                journal = services.post(
                    society_id=society.pk, kind="test", key=f"{society.pk}:{n}", effective_on=DAY, transfers=legs
                )
                posted.append((journal, step))
        except Refusal:
            assert expected is None
        else:
            assert expected is not None
            balances = expected
    held = Account.objects.filter(society=society).values_list("kind", "credits", "debits")
    assert {kind: credits - debits for kind, credits, debits in held} == balances
    assert services.problems() == []
