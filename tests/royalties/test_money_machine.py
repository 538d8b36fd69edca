"""Money played at random, against PostgreSQL, through the services that people use.

A machine bills, takes money in (in part, too much, twice), credits and refunds, distributes, reverses, holds and settles, releases
what a later match explains, divides anew, pays ahead, hands rights on, pays out, is answered by the bank, takes returns, expires
and closes, in any order. After each step:

* `verify` finds nothing, in any slice, and the checks that wait for a commit have spoken;
* every balance of the ledger is what plain Python reckons from the business facts (`machine/books.py`), to the won;
* money in = money out + money kept;
* nobody was paid more than was ever theirs at one time;
* the bank and the book differ only by what is named as open.

A refusal by a service is a legal outcome, and leaves nothing behind; any other error is a failure. Each example is a savepoint.

In the suite a few short plays run. `MONEY_EXAMPLES=1000 MONEY_STEPS=60 pytest -n0 tests/royalties/test_money_machine.py` plays
for as long as one likes; `-s` shows what was done and refused how often. A failure prints its sequence, shrunk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.royalties.machine.play import COUNTED, played
from tests.royalties.machine.stage import Stage, make_stage

EXAMPLES, STEPS = int(os.environ.get("MONEY_EXAMPLES", "8")), int(os.environ.get("MONEY_STEPS", "25"))


@pytest.fixture(scope="module")
def stage(module_db: Callable[[], AbstractContextManager[Any]]) -> Iterator[Stage]:
    with module_db():
        yield make_stage()


@pytest.mark.django_db
def test_whatever_people_do_no_won_is_lost_made_or_paid_twice(stage: Stage) -> None:
    COUNTED.clear()
    given = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )  # fmt: skip
    try:
        run_state_machine_as_test(played(stage), settings=given)
    finally:
        print(json.dumps(dict(sorted(COUNTED.items())), indent=1))
    assert COUNTED.get("run published") and COUNTED.get("pay all")
