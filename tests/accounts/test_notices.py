"""Notices: once each, in the portal and by e-mail."""

from __future__ import annotations

import threading
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from accounts.identity.core import NotFound
from accounts.identity.models import User
from accounts.notices.models import Notice
from accounts.notices.services import mail_waiting, mark_read, notify
from accounts.notices.tasks import send_mail
from tests.accounts import people


def _tell(*users: User, key: str = "run-published:7", **details: str) -> None:
    notify(
        user_ids=[user.pk for user in users],
        key=key,
        kind="run",
        subject=details.pop("subject", "Statement"),
        **details,
    )


@pytest.fixture
def pair() -> tuple[User, User]:
    kosa = people.organisation("KOSA", "society")
    return people.person(kosa), people.person(kosa, "finance")


@pytest.mark.django_db
def test_everybody_hears_once_however_often_it_is_said(pair: Any, django_assert_num_queries: Any) -> None:
    _tell(*pair)
    with django_assert_num_queries(3):  # savepoint, one insert for all, release
        _tell(*pair, pair[0])
    assert Notice.objects.count() == 2


@pytest.mark.django_db
def test_mail_goes_out_once(pair: Any, settings: Any) -> None:
    settings.SITE_URL = "https://jeongsan.example/"
    _tell(*pair, subject="Your statement\nis here", body="₩70,773", link="/statements/3/")
    send_mail()
    send_mail()
    assert sorted(message.to[0] for message in mail.outbox) == ["administrator@kosa.example", "finance@kosa.example"]
    assert mail.outbox[0].subject == "Your statement is here"
    assert mail.outbox[0].body == "₩70,773\n\nhttps://jeongsan.example/statements/3/"


@pytest.mark.django_db
def test_mail_is_queued_with_the_commit(pair: Any, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        _tell(*pair)
        _tell(key="nobody")
    assert len(callbacks) == 1


@pytest.mark.django_db
def test_a_server_that_fails_loses_nothing(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _tell(*pair)
    working = EmailBackend.send_messages

    def broken(self: EmailBackend, messages: Any) -> int:
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailBackend, "send_messages", broken)
    with pytest.raises(SMTPServerDisconnected):
        mail_waiting()
    assert Notice.objects.filter(mailed_at=None).count() == 2
    monkeypatch.setattr(EmailBackend, "send_messages", working)
    assert mail_waiting() == 2
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_an_address_that_does_not_exist_holds_nobody_up(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _tell(*pair)
    working = EmailBackend.send_messages

    def picky(self: EmailBackend, messages: Any) -> int:
        if messages[0].to[0].startswith("administrator"):
            raise SMTPRecipientsRefused({})
        return working(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", picky)
    assert mail_waiting() == 1
    assert not Notice.objects.filter(mailed_at=None).exists()


def test_two_workers_mail_each_notice_once(committed_db: object) -> None:
    kosa = people.organisation("KOSA", "society")
    _tell(*[people.person(kosa, "auditor", f"a{number}@kosa.example") for number in range(30)])
    mail.outbox.clear()
    start = threading.Barrier(3)

    def run() -> None:
        try:
            start.wait()
            mail_waiting()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(message.to[0] for message in mail.outbox) == sorted(f"a{number}@kosa.example" for number in range(30))


@pytest.mark.django_db
def test_each_reads_their_own(pair: Any) -> None:
    _tell(*pair)
    me, other = people.actor(people.organisation("KOSA", "society")), Notice.objects.get(user=pair[1])
    with pytest.raises(NotFound):
        mark_read(actor=me, notice_id=other.pk)
    assert mark_read(actor=me) == 1
    assert mark_read(actor=me) == 0
    other.refresh_from_db()
    assert other.read_at is None
