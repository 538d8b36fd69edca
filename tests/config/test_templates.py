"""Every page's template is one that Django can read: no filter or tag that nobody loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOTS = [Path(settings.BASE_DIR) / app / "templates" for app in ("accounts", "config", "licensing", "royalties")]


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.parent.name)
def test_every_template_can_be_read(root: Path) -> None:
    found = [path for path in root.rglob("*") if path.suffix in (".html", ".txt")]
    assert found
    for path in found:
        get_template(str(path.relative_to(root)))
