"""A person's language: chosen once, kept with the person, and used for what is told later."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, override

from accounts.evidence.models import Event
from accounts.identity.core import NOBODY, Forbidden, say
from config.happenings import HAPPENINGS, label_of
from config.messages import APPS, ROOT
from config.retelling import retold
from licensing.tariffs.core import Quantity
from tests.accounts import people

pytestmark = pytest.mark.django_db


def switch(client: Client, language: str) -> None:
    answer = client.post(reverse("set_language"), {"language": language, "next": "/"})
    assert answer.status_code == 302
    assert answer["Location"] == "/"


def test_a_visitors_choice_is_kept_in_the_browser() -> None:
    client = Client()
    switch(client, "ko")
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ko"
    assert 'lang="ko"' in client.get("/").content.decode()


def test_a_persons_choice_is_kept_with_the_person() -> None:
    person = people.person(people.organisation("KOSA", "society"), "finance")
    client = Client()
    client.force_login(person)
    switch(client, "ko")
    person.refresh_from_db()
    assert person.language == "ko"
    assert Event.objects.get(verb="person.changed").data == {"language": "ko"}
    switch(client, "ko")
    switch(client, "xx")
    person.refresh_from_db()
    assert person.language == "ko"
    assert Event.objects.filter(verb="person.changed").count() == 1, "nothing changed, nothing is written"


def test_a_refusal_of_the_pure_floors_is_said_in_the_readers_language() -> None:
    with override("ko"), pytest.raises(Forbidden, match=r"“members\.manage” 권한이 필요합니다"):
        NOBODY.require("members.manage")
    assert Quantity("train", "book", "token", 5000).said() == "5,000 tokens of book for training"


@pytest.mark.parametrize(
    ("stored", "korean"),
    [
        ("The file is empty.", "파일이 비어 있습니다."),
        (
            "The file lacks the columns units. Its columns are: isbn, n.",
            "파일에 없는 열: units. 파일에 있는 열: isbn, n.",
        ),
        (
            "No charge of the tariff prices 5,000 tokens of book for training.",
            "징수규정에 다음에 해당하는 요금이 없습니다: 도서 5,000 토큰, 이용 유형 학습.",
        ),
        ("Nothing in the catalogue reads like this.", "Nothing in the catalogue reads like this."),
        ("", ""),
    ],
)
def test_what_was_stored_in_english_is_told_in_korean(stored: str, korean: str) -> None:
    assert retold(stored) == stored
    with override("ko"):
        assert retold(stored) == korean


def test_what_is_said_with_values_can_be_told_again() -> None:
    sentence = say("Line {line}: an amount is a whole number from 1 to {most}.", line=3, most=10**15)
    with override("ko"):
        assert retold(sentence) == "3행: 금액은 1에서 1000000000000000까지의 정수입니다."


def test_everything_that_can_happen_has_a_name() -> None:
    sources = "\n".join(path.read_text() for app in APPS for path in Path(ROOT / app).rglob("services/**/*.py"))
    sources += "\n".join(path.read_text() for app in APPS for path in Path(ROOT / app).rglob("services.py"))
    verbs = set(re.findall(r'verb="([a-z_]+\.[a-z_]+)"', sources))
    assert len(verbs) > 20
    assert verbs - HAPPENINGS.keys() == set()
    assert label_of("run.approved") == "distribution approved"
    assert label_of("never.heard") == "never.heard"
    with override("ko"):
        assert label_of("run.approved") == gettext("distribution approved") == "분배 승인"


def test_mail_goes_out_in_the_language_of_the_person_it_goes_to(mailoutbox: list[EmailMessage]) -> None:
    person = people.person(people.organisation("KOSA", "society"), "finance")
    type(person).objects.filter(pk=person.pk).update(language="ko")
    Client().post(reverse("account_reset_password"), {"email": person.email}, headers={"Accept-Language": "en"})
    (mail,) = mailoutbox
    assert "비밀번호" in mail.subject
