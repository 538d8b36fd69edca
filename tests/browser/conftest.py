"""A database with the whole story told in the small: every page has something to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.databases import Databases, using
from tests.journeys.told import tell


@pytest.fixture(scope="session")
def told(
    django_db_setup: None, databases: Databases, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    name = databases.clone()
    with django_db_blocker.unblock(), using(name):
        tell(tmp_path_factory.mktemp("told"))
    databases.freeze(name)
    yield name
    databases.drop(name)
