"""What the journeys share: the worked example as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys import example


@pytest.fixture
def files(tmp_path: Path) -> example.Files:
    folder = tmp_path / "files"
    folder.mkdir()
    return example.write(folder)
