"""The engine and the database say the same of what a line means, whatever the order of what is known or asked."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.engine.duck import connect
from licensing.matching import finding, services, suffixes
from licensing.matching.core import SEVERAL, several, title_key
from licensing.permissions import snapshots
from licensing.permissions.services import reserved
from licensing.permissions.services.finding import places_of, spell_titles, through_indexes, works_of
from licensing.repertoire.models import Identifier, Work, WorkAlias
from tests.licensing.parties import organisation, staff

pytestmark = pytest.mark.django_db

CODES = [("isbn", "1"), ("isbn", "2"), ("doi", "10.1/a;b"), ("proprietary", "x y%")]
WEB = [
    ("domain", "example.org"), ("domain", "sub.example.org"), ("url", "example.org/a"), ("url", "example.org/a/b?c=1"),
    ("url", "sub.example.org:8080/a/"), ("url", "other.net/"), ("domain", "news.co.kr"),
]  # fmt: skip
NAMES = [
    ("The sun", "Hemingway, Ernest"),
    ("Sun, The", "E. Hemingway"),
    ("Sun", "Hemingway"),
    ("The moon", ""),
    ("Poems", "A B"),
]


def known(dice: random.Random) -> Organisation:
    """A register with merged works, titles and rules, drawn and laid down in a drawn order."""
    society = organisation("PRESS", "society")
    titles = [dice.choice(NAMES) for _n in range(6)]
    works = [
        Work.objects.create(society=society, ref=f"W{n}", kind="book", title=title, creators=creators)
        for n, (title, creators) in enumerate(titles)
    ]
    for scheme, value in dice.sample(CODES + WEB, 7):
        Identifier.objects.create(society=society, work=dice.choice(works), scheme=scheme, value=value)
    WorkAlias.objects.create(
        society=society, work=dice.choice(works), title="Helios", creators=dice.choice(["", "Hemingway"])
    )
    for n in dice.sample(range(1, 6), 2):
        Work.objects.filter(pk=works[n].pk).update(merged_into=works[n - 1])
    for scheme, value in dice.sample(asked(), 5):
        rule = services.decide(
            actor=SYSTEM, society=society, scheme=scheme, value=value, work=dice.choice([None, *works])
        )
        if dice.random() < 0.3:
            services.withdraw(actor=SYSTEM, rule=rule, reason="wrong")
    return society


def asked() -> list[tuple[str, str]]:
    titles = [("title", title_key(*name)) for name in [*NAMES, ("Helios", "Ernest Hemingway")]]
    sets = [CODES[:2], CODES[1:], [CODES[0], WEB[3]], CODES]
    return [*CODES, *WEB, *titles, *((SEVERAL, several(each)) for each in sets)]


def by_database(society: Organisation, said: list[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    services.refresh_titles(society.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s, v, licensing_meaning(%s, s, v) FROM unnest(%s::text[], %s::text[]) q(s, v)",
            [society.pk, *map(list, zip(*said, strict=True))],
        )
        return {(scheme, value): work for scheme, value, work in cursor.fetchall()}


def by_engine(society: Organisation, said: list[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    with connect() as engine:
        engine.table("grouped", {"scheme": "VARCHAR", "value": "VARCHAR"}, said)
        snapshots.load(engine, society.pk)
        suffixes.load(engine)
        reserved.load(engine, society.pk)
        finding.find(engine, titles=lambda: snapshots.load_titles(engine, society.pk))
        found = engine.rows("SELECT scheme, value, work_id FROM found")
        assert len({(scheme, value) for scheme, value, _work in found}) == len(found)
        return dict.fromkeys(said) | {(s, v): work for s, v, work in found if (s, v) in said}


def by_question(society: Organisation, said: list[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    """As permission is asked, item by item; it knows no several identifiers."""
    single = [each for each in said if each[0] != SEVERAL]
    actor = staff(society)
    spell_titles(actor, single)
    with through_indexes():
        found = works_of(actor, single, places_of(single))
    return dict.fromkeys(single) | {each: works[0].id for each, works in found.items()}


@pytest.mark.parametrize("seed", range(6))
def test_all_ways_of_asking_agree_in_any_order(seed: int, settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path if seed % 2 else django_settings.VAR_DIR
    dice = random.Random(seed)
    society = known(dice)
    said = asked()
    means = by_database(society, said)
    assert any(means.values())
    for _look in range(2):  # the second one finds a snapshot
        dice.shuffle(said)
        assert by_engine(society, said) == means
    assert by_question(society, said) == {each: work for each, work in means.items() if each[0] != SEVERAL}
