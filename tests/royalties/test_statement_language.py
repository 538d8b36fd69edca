"""A statement in Korean is Korean throughout: words, names, numbers; and each person hears of it in their language."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts.identity.models import User
from accounts.notices.models import Notice
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.statements import services
from royalties.statements.models import Statement
from tests.royalties.test_statements import published
from tests.royalties.world import World, make_world, worked_example


@pytest.fixture
def world(db: None) -> World:
    made = make_world()
    made.rule()
    worked_example(made)
    Organisation.objects.filter(pk=made.society.pk).update(name_ko="웹출판권리협회")
    Holder.objects.filter(ref="H-B1").update(name_ko="김작가")
    made.society.refresh_from_db()
    return made


def test_the_pdf_is_korean_throughout(world: World) -> None:
    member = world.member("H-B1")
    client = Client()
    client.force_login(User.objects.get(pk=member.user_id))
    row = Statement.objects.get(run=published(world), holder__ref="H-B1")
    made = client.get(reverse("royalties:statement_file", args=[row.pk, "pdf"]), {"language": "ko"}).content
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
    for shown in ("사용료 정산명세서", "웹출판권리협회", "김작가", "지급 대상액", "₩70,773", "분배 대상액", "토큰"):
        assert shown in text
    for english in ("Royalty", "statement", "Payable", "Weight", "Invoice"):  # names of charges are the society's own
        assert english not in text


def test_exported_files_name_people_in_the_asked_language(world: World, tmp_path: Path) -> None:
    run = published(world)
    said = {}
    for language in ("ko", "en"):
        services.export_statements(run=run, folder=tmp_path / language, form="json", holder="H-B1", language=language)
        (path,) = (tmp_path / language).iterdir()
        said[language] = json.loads(path.read_bytes())
    assert (said["ko"]["society_name"], said["ko"]["holder_name"]) == ("웹출판권리협회", "김작가")
    assert said["en"]["society_name"] != "웹출판권리협회"
    assert said["ko"]["lines"][0]["why"][-1]["label"] == "내 지분"
    assert said["ko"]["payable"] == said["en"]["payable"]


def test_each_person_hears_of_it_in_their_language(world: World) -> None:
    korean, english = world.member("H-B1"), world.member("H-C")
    User.objects.filter(pk=korean.user_id).update(language="ko")
    published(world)
    subjects: dict[int | None, str] = dict(Notice.objects.filter(kind="statement").values_list("user_id", "subject"))
    assert subjects[korean.user_id] == "웹출판권리협회의 사용료 정산명세서가 도착했습니다"
    assert subjects[english.user_id].startswith("Your royalty statement from")
