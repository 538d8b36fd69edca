"""Files sent in parts by the page: cut off, resumed after the page was left, announced as a folder, paused, let go."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.identity.models import User
from config.actors import actor_of_user
from licensing.declarations import services
from licensing.declarations.models import Declaration
from licensing.intake.models import Upload
from licensing.intake.services import path_of
from licensing.licences.models import Licence
from tests.journeys.hands import see
from tests.journeys.told import STAFF
from tests.licensing.declaring import PERIOD, lines

DATA = lines(*(f"domain,site{n}.example.com,{n + 1}" for n in range(3000)))
PART = 10_240
CHOOSE = "input#uploads-files"


@pytest.fixture
def committed_as(told: str) -> str:
    return told


@pytest.fixture
def declaration(committed_db: Any, settings: Any) -> Declaration:
    settings.UPLOAD_PART_BYTES = PART
    actor = actor_of_user(User.objects.get(email=STAFF["licensee"][0]))
    licence = Licence.objects.filter(licensee_id=actor.organisation_id).exclude(status="draft")[0]
    return services.start(actor=actor, licence=licence, period=PERIOD, use="train", unit="token", model="uploads")


@pytest.fixture
def page_of(sign_in: Callable[[User], Any], declaration: Declaration) -> Any:
    page = sign_in(User.objects.get(email=STAFF["licensee"][0]))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/declarations/{declaration.pk}/")
    return page


def test_a_file_that_is_cut_off_goes_on_where_it_stopped(
    page_of: Any, declaration: Declaration, tmp_path: Path
) -> None:
    page, file, sent = page_of, tmp_path / "use.csv", []
    file.write_bytes(DATA)

    def cut(route: Any) -> None:
        if route.request.method == "PATCH":
            sent.append(int(route.request.headers["upload-offset"]))
            assert route.request.headers["upload-checksum"].startswith("sha256 ")
            if len(sent) > 3:
                return route.abort("connectionreset")
        return route.continue_()

    page.route(re.compile(r"/api/v1/uploads/"), cut)
    page.set_input_files(CHOOSE, file)
    see(page.get_by_text("The line is cut. It goes on by itself."))
    assert sent[:4] == [0, PART, 2 * PART, 3 * PART]
    assert Upload.objects.get().received == 3 * PART

    page.unroute(re.compile(r"/api/v1/uploads/"))
    page.reload()
    see(page.get_by_text("Not arrived whole"))
    again: list[int] = []
    page.on("request", lambda r: again.append(int(r.headers["upload-offset"])) if r.method == "PATCH" else None)
    with page.expect_navigation():
        page.set_input_files(CHOOSE, file)
    assert again[0] == 3 * PART and len(again) == -(-len(DATA) // PART) - 3
    kept = declaration.files.get()
    assert path_of(kept.file).read_bytes() == DATA
    assert services.process(declaration.pk) is not None
    page.goto(f"/declarations/{declaration.pk}/")
    see(page.locator(".stat", has=page.get_by_text("Lines", exact=True)).get_by_text("3,000"))


def test_a_line_that_is_cut_for_a_moment_needs_nobody(page_of: Any, declaration: Declaration, tmp_path: Path) -> None:
    page, file, tries = page_of, tmp_path / "use.csv", []
    file.write_bytes(DATA)

    def stumble(route: Any) -> None:
        if route.request.method == "PATCH":
            tries.append(route.request.headers["upload-offset"])
            if len(tries) in (2, 3):
                return route.abort("connectionreset")
        return route.continue_()

    page.route(re.compile(r"/api/v1/uploads/"), stumble)
    with page.expect_navigation():
        page.set_input_files(CHOOSE, file)
    assert tries[1:4] == [str(PART)] * 3
    assert path_of(declaration.files.get().file).read_bytes() == DATA


def test_a_folder_is_announced_and_processed_as_one(page_of: Any, declaration: Declaration, tmp_path: Path) -> None:
    page, folder = page_of, tmp_path / "dataset"
    for n, day in enumerate(("2026-01-15", "2026-02-15")):
        part = folder / f"used_on={day}" / "part-0.csv"
        part.parent.mkdir(parents=True)
        part.write_bytes(lines(f"domain,site{n}.example.com,{n + 1}"))
    (folder / "_SUCCESS").write_bytes(b"x")
    with page.expect_navigation():
        page.set_input_files("input#uploads-folder", folder)
    see(page.get_by_text("dataset/used_on=2026-01-15/part-0.csv"))
    assert declaration.announced.count() == declaration.files.count() == 2
    done = services.process(declaration.pk)
    assert done is not None and done.lines["total"] == 2
    assert sorted(str(use.used_on) for use in done.uses.all()) == ["2026-01-15", "2026-02-15"]


def test_what_others_announced_stays_awaited(page_of: Any, declaration: Declaration, tmp_path: Path) -> None:
    page = page_of
    actor = actor_of_user(User.objects.get(email=STAFF["licensee"][0]))
    services.announce(actor=actor, declaration=declaration, files=[services.Announced("other.csv", 9, "a" * 64)])
    page.reload()
    see(page.get_by_text("1 of 1 announced files is missing."))
    file = tmp_path / "use.csv"
    file.write_bytes(DATA)
    with page.expect_navigation():
        page.set_input_files(CHOOSE, file)
    assert [(each.path, each.sha256) for each in declaration.announced.missing()] == [("other.csv", "a" * 64)]
    assert Declaration.objects.get(pk=declaration.pk).status == "draft"


def test_pause_and_cancel(page_of: Any, declaration: Declaration, tmp_path: Path) -> None:
    page = page_of
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_bytes(DATA)
    second.write_bytes(DATA + b"domain,one-more.example.com,1\n")

    def hold(route: Any) -> None:
        """The second part of a file stays on its way until somebody acts."""
        if route.request.method != "PATCH" or route.request.headers["upload-offset"] == "0":
            route.continue_()

    page.route(re.compile(r"/api/v1/uploads/"), hold)
    page.set_input_files(CHOOSE, [first, second])
    row = page.locator(".upload", has_text="first.csv")
    see(row.get_by_text(re.compile("10 kB of")))
    see(page.get_by_text("0 of 2 files have arrived."))
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    see(row.get_by_text("paused"))
    page.unroute(re.compile(r"/api/v1/uploads/"))
    page.get_by_role("button", name="Cancel first.csv").click()
    row.wait_for(state="detached")
    with page.expect_navigation():
        page.get_by_role("button", name="Go on").click()
    assert [file.path for file in declaration.files.all()] == ["second.csv"]
    assert list(Upload.objects.values_list("status", flat=True).order_by("name")) == ["cancelled", "done"]
    declaration.refresh_from_db()
    assert declaration.status == "received", "nobody waits for what was let go"


def test_what_the_server_refuses_is_said_at_the_file(page_of: Any, declaration: Declaration, tmp_path: Path) -> None:
    page, file = page_of, tmp_path / "use.csv"
    file.write_bytes(DATA)
    Declaration.objects.filter(pk=declaration.pk).update(status="submitted")
    page.set_input_files(CHOOSE, file)
    see(page.locator(".upload[data-state=failed]").get_by_text("A submitted declaration is immutable."))
