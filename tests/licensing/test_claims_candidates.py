"""The real matcher, from an item of the queue to the work that it is."""

from __future__ import annotations

import pytest

from accounts.identity.core import SYSTEM
from licensing.claims import services
from licensing.repertoire.services import save_work
from tests.licensing.claims_world import OTHER_ISBN, world

pytestmark = pytest.mark.django_db


def test_a_work_of_nearly_the_same_title_is_a_candidate_with_reasons() -> None:
    made = world()
    work = save_work(
        actor=SYSTEM, society=made.society, ref="V-1", kind="book", title="The Vegetarian Diary", creators="Ha Kim"
    )
    services.seek_candidates(made.society)
    first = made.item(OTHER_ISBN).candidates[0]
    assert first["work"] == work.pk and 0 < float(first["score"]) <= 1 and first["why"]
    assert made.item("poems.example.org/a").candidates == []
