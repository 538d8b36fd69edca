"""Fixtures of the tests on crashes and races: a scene on a database of its own, and what runs beside the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.concurrency.holds import Aside, Hold
from tests.concurrency.nursery import Nursery
from tests.concurrency.scene import Commands, Scene, ending, make_scene
from tests.conftest import environment
from tests.databases import Databases, using


@pytest.fixture(scope="session")
def settled(
    django_db_setup: None, databases: Databases, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Scene]]:
    """A database with the scene in it, which is made once and copied for each test."""
    name = databases.clone()
    with django_db_blocker.unblock(), using(name):
        scene = make_scene(tmp_path_factory.mktemp("scene"))
    databases.freeze(name)
    yield name, scene
    databases.drop(name)


@pytest.fixture(scope="session")
def declared(settled: tuple[str, Scene], databases: Databases, django_db_blocker: Any) -> Iterator[str]:
    """The same, once the file is declared and accepted."""
    name = databases.clone(settled[0])
    with django_db_blocker.unblock(), using(name):
        deepcopy(settled[1]).declare()
    databases.freeze(name)
    yield name
    databases.drop(name)


@pytest.fixture(scope="session")
def paid(settled: tuple[str, Scene], declared: str, databases: Databases, django_db_blocker: Any) -> Iterator[str]:
    """And once the licensee has paid: money waits to be distributed."""
    name = databases.clone(declared)
    with django_db_blocker.unblock(), using(name):
        deepcopy(settled[1]).paid()
    databases.freeze(name)
    yield name
    databases.drop(name)


@pytest.fixture(scope="session")
def undisturbed_run(
    settled: tuple[str, Scene], paid: str, databases: Databases, django_db_blocker: Any
) -> dict[str, Any]:
    """How the distribution of that money ends when nothing comes between."""
    name = databases.clone(paid)
    with django_db_blocker.unblock(), using(name):
        found = ending(deepcopy(settled[1]).published())
    databases.drop(name)
    return found


@pytest.fixture
def committed_as(settled: tuple[str, Scene]) -> str:
    return settled[0]


@pytest.fixture
def scene(settled: tuple[str, Scene], committed_db: Any) -> Scene:
    return deepcopy(settled[1])


@pytest.fixture
def aside(committed_db: Any) -> Iterator[Aside]:
    """Acts beside the test. It outlives the holds, which would keep its threads for ever."""
    with Aside() as made:
        yield made


@pytest.fixture
def hold(committed_db: Any, aside: Aside) -> Iterator[Callable[..., Hold]]:
    """`hold("BEFORE INSERT ON … FOR EACH ROW")`: stops whoever comes there."""
    made: list[Hold] = []

    def make(point: str, **options: Any) -> Hold:
        made.append(Hold(committed_db.url, point, **options))
        return made[-1]

    yield make
    for each in made:
        each.session.close()


@pytest.fixture(scope="session")
def nursery(databases: Databases) -> Iterator[Nursery]:
    started = Nursery(environment(databases.url(databases.template)))
    yield started
    started.stop()


@pytest.fixture
def commands(committed_db: Any, nursery: Nursery, tmp_path: Path) -> Iterator[Commands]:
    """Commands beside the test, each in a process of its own."""
    started = Commands(nursery, committed_db.name, tmp_path)
    yield started
    started.stop()
