"""What the journeys share: the worked example as files, and its people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.access.services import create_organisation, create_user
from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from tests.journeys import example


@pytest.fixture
def files(tmp_path: Path) -> example.Files:
    folder = tmp_path / "files"
    folder.mkdir()
    return example.write(folder)


@pytest.fixture
def organisations(committed_db: Any) -> dict[str, Organisation]:
    """The society, the firm and the rate body, by reference."""
    told = {
        example.SOCIETY: ("society", "Korea Web Society", "한국웹저작권협회"),
        example.FIRM: ("licensee", "Hanbit AI", "한빛에이아이"),
        example.RATES: ("rate_body", "Rate Commission", "사용료심의위원회"),
    }
    return {
        ref: create_organisation(actor=SYSTEM, ref=ref, kind=kind, name=name, name_ko=name_ko)
        for ref, (kind, name, name_ko) in told.items()
    }


@pytest.fixture
def people(organisations: dict[str, Organisation]) -> dict[str, User]:
    """Who does the main job, by what they are: two desks of the society, two of its money, the firm, the rate body."""
    staff = {
        "repertoire": (example.SOCIETY, "repertoire"),
        "licensing": (example.SOCIETY, "licensing"),
        "officer": (example.SOCIETY, "distribution"),
        "finance": (example.SOCIETY, "finance"),
        "declarant": (example.FIRM, "declarant"),
        "commissioner": (example.RATES, "administrator"),
        "signatory": (example.SOCIETY, "administrator"),
        "director": (example.FIRM, "administrator"),
    }
    return {
        name: create_user(
            actor=SYSTEM,
            email=f"{name}@{ref.lower()}.example",
            organisation=organisations[ref],
            role=role,
            name=name.title(),
        )
        for name, (ref, role) in staff.items()
    }


@pytest.fixture
def complaints(page: Any) -> Iterator[list[str]]:
    """What the browser blocked or failed at; there shall be nothing."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("response", lambda answer: said.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    page.on("dialog", lambda dialog: dialog.accept())
    yield said
    assert said == []


@pytest.fixture
def become(page: Any, sign_in: Callable[[User], Any], people: dict[str, User]) -> Callable[[str], Any]:
    return lambda name: sign_in(people[name])
