"""Letters: mail to somebody who has no account, once each, in their language."""

from __future__ import annotations

import datetime
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.identity.core import Refusal
from accounts.notices.models import Letter
from accounts.notices.services import mail_waiting, send_letter
from accounts.notices.tasks import forget_messages, send_mail

pytestmark = pytest.mark.django_db


def _write(email: str = "writer@example.org", **details: Any) -> None:
    asked = {"language": "en", "key": "reservation:7", "subject": "Confirm", "body": "Is this yours?", "link": "/r/7/"}
    send_letter(email=email, **asked | details)


def test_a_letter_goes_out_once(settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    settings.SITE_URL = "https://jeongsan.example/"
    with django_capture_on_commit_callbacks() as callbacks:
        _write(" writer@example.org ")
        _write()
    assert callbacks
    send_mail()
    send_mail()
    (sent,) = mail.outbox
    assert sent.to == ["writer@example.org"]
    assert (sent.subject, sent.body) == ("Confirm", "Is this yours?\n\nhttps://jeongsan.example/r/7/")


def test_it_is_said_in_the_language_of_whom_it_is_for() -> None:
    """Whatever language the person or program speaks that causes it."""
    _write(subject=gettext_lazy("Works"), language="ko")
    _write(subject=gettext_lazy("Works"), language="en", key="other")
    _write(subject=gettext_lazy("Works"), language="fr", key="third")
    mail_waiting()
    assert [sent.subject for sent in mail.outbox] == ["저작물", "Works", "Works"]


def test_a_full_address_stays_as_it_is_and_there_may_be_none() -> None:
    _write(link="https://elsewhere.example/x")
    _write(link="", key="other")
    mail_waiting()
    assert [sent.body for sent in mail.outbox] == ["Is this yours?\n\nhttps://elsewhere.example/x", "Is this yours?"]


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "a@example.org\nBcc: b@example.org", "a@example.org, b@example.org"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Refusal) as refusal:
        _write(email)
    assert refusal.value.code == "invalid_email" and not Letter.objects.exists()


def test_a_subject_is_one_line() -> None:
    _write(subject="One\r\nBcc: other@example.org" + "x" * 300)
    mail_waiting()
    assert "\n" not in mail.outbox[0].subject and len(mail.outbox[0].subject) <= 200


def test_a_server_that_fails_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: EmailBackend, messages: Any) -> int:
        raise SMTPServerDisconnected("gone")

    _write()
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", broken)
        with pytest.raises(SMTPServerDisconnected):
            mail_waiting()
    assert Letter.objects.get().mailed_at is None
    assert mail_waiting() == 1


def test_letters_are_personal_data_and_are_forgotten() -> None:
    _write()
    _write(key="waits")
    Letter.objects.filter(key="reservation:7").update(mailed_at=timezone.now() - datetime.timedelta(days=91))
    forget_messages()
    assert [letter.key for letter in Letter.objects.all()] == ["waits"]
