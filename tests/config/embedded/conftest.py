"""Var folders for these tests: an empty one, and one whose services ran before."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.embedded.users import User, stopped, var_folder


@pytest.fixture(scope="package")
def cluster() -> Iterator[Path]:
    """A var folder whose services have run once, to be copied: initdb takes longer than all the rest."""
    with var_folder() as var:
        user = User(var)
        user.report()
        user.end()
        stopped(var)
        (var / "postgres" / "log").unlink()
        yield var


@pytest.fixture
def var() -> Iterator[Path]:
    """An empty var folder."""
    with var_folder() as var:
        yield var


@pytest.fixture
def used(cluster: Path, var: Path) -> Path:
    """A var folder that was visited once before."""
    subprocess.run(["cp", "-a", cluster, var], check=True)
    return var
