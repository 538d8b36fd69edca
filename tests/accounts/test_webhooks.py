"""Webhooks: an organisation's programs are told, signed, at least once, and only where the organisation says."""

from __future__ import annotations

import contextlib
import datetime
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from accounts.access.core import ROLES
from accounts.evidence.models import Event
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.notices import core
from accounts.notices.models import Notice, Webhook, WebhookDelivery
from accounts.notices.services import delivering, mail_waiting, publish, webhooks
from accounts.notices.tasks import deliver_webhooks, forget_messages
from accounts.organisations.models import Organisation
from config.celery import BEAT
from tests.accounts import people
from tests.accounts.loopback import Asked, Server, answer, says, serving

DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"
URL = "https://example.org/jeongsan"


@pytest.fixture
def actor() -> Actor:
    return people.actor(people.organisation())


def _webhook(actor: Actor, url: str = URL, *events: str) -> Webhook:
    return webhooks.create_webhook(actor=actor, url=url, events=events or ["case.opened"])[0]


def _to(server: Server, actor: Actor, settings: Any, path: str = "/hook") -> tuple[Webhook, str]:
    settings.OUTBOUND_ALLOW = [*settings.OUTBOUND_ALLOW, server.place]
    return webhooks.create_webhook(actor=actor, url=server.url(path), events=["case.opened"])


def _happens(actor: Actor, key: str = "case-opened:7", kind: str = "case.opened", **data: Any) -> None:
    with transaction.atomic():
        publish(organisation_id=actor.organisation_id or 0, kind=kind, key=key, data=data)


def _later() -> None:
    """Time passes: everything that waits is due, and no webhook rests."""
    WebhookDelivery.objects.filter(status="waiting").update(next_attempt_at=timezone.now())
    Webhook.objects.update(rests_until=None)


def _is_ours() -> Any:
    """The example of the document, as it stands there."""
    code = DOCUMENT.read_text().split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    return names["is_ours"]


# Signature and schedule


def test_the_documents_example_accepts_what_we_sign_and_nothing_else() -> None:
    is_ours, now = _is_ours(), int(time.time())
    header = core.signature(b'{"a":1}', ["whsec_new", "whsec_old"], now)
    assert header.count("v1=") == 2
    for secret in ("whsec_new", "whsec_old"):
        assert is_ours(secret, header, b'{"a":1}')
    assert not is_ours("whsec_other", header, b'{"a":1}')
    assert not is_ours("whsec_new", header, b'{"a": 1}')
    assert not is_ours("whsec_new", header.replace(f"t={now}", f"t={now + 1}"), b'{"a":1}')
    assert not is_ours("whsec_new", core.signature(b"", ["whsec_new"], now - 301), b"")
    for broken in ("", "t=", "v1=x", f"t={now}", f"t={now},v1", "t=x,v1=y"):
        assert not is_ours("whsec_new", broken, b"")


def test_the_signature_is_the_one_that_anybody_computes() -> None:
    """By another program: printf '1767225600.{"a":1}' | openssl dgst -sha256 -hmac whsec_x."""
    by_openssl = "a1ad043d78b5a030f1002ef7889226997f36422e612f57461a818e4ff85be97d"
    assert core.signature(b'{"a":1}', ["whsec_x"], 1767225600) == f"t=1767225600,v1={by_openssl}"


def test_the_document_tells_the_schedule_that_runs() -> None:
    rows = DOCUMENT.read_text().split("| attempt |")[1].split("\n\n")[0].splitlines()[2:]
    told = [row.split("|")[2].strip() for row in rows]
    units = {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600}
    seconds = [int(text.split()[0]) * units[text.split()[1]] for text in told[1:]]
    assert told[0] == "at once"
    assert [datetime.timedelta(seconds=each) for each in seconds] == list(core.WAITS)
    now = timezone.now()
    assert core.next_attempt(core.ATTEMPTS, now) is None
    assert all(core.next_attempt(done, now) is not None for done in range(1, core.ATTEMPTS))


def test_the_document_names_every_event(settings: Any) -> None:
    for kind in settings.WEBHOOK_KINDS:
        assert f"`{kind}`" in DOCUMENT.read_text()


# Who looks after them


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["society", "licensee"])
def test_administrators_and_nobody_else_look_after_webhooks(kind: str) -> None:
    where = people.organisation("HERE", kind)
    made = _webhook(people.actor(where))
    for role in set(ROLES[kind]) - {"administrator"}:
        other = people.actor(where, role)
        with pytest.raises(Forbidden):
            webhooks.create_webhook(actor=other, url="https://example.org/2", events=["case.opened"])
        for act in (webhooks.rotate_secret, webhooks.disable_webhook, webhooks.remove_webhook, webhooks.ping):
            with pytest.raises(Forbidden):
                act(actor=other, webhook=made)
    assert Webhook.objects.get() == made


@pytest.mark.django_db
def test_another_organisation_finds_nothing(actor: Actor) -> None:
    made = _webhook(actor)
    _happens(actor)
    stranger = people.actor(people.organisation("OTHER"))
    for act in (webhooks.rotate_secret, webhooks.disable_webhook, webhooks.remove_webhook, webhooks.ping):
        with pytest.raises(NotFound):
            act(actor=stranger, webhook=made)
    with pytest.raises(NotFound):
        webhooks.replay(actor=stranger, delivery=made.deliveries.get())
    assert not Webhook.objects.visible_to(stranger).exists()
    assert not WebhookDelivery.objects.visible_to(stranger).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url, code",
    [
        ("http://example.org/x", "address_is_not_safe"), ("ftp://example.org/", "refused_address"), ("", "refused_address"),
        ("https://me:pw@example.org/", "refused_address"), ("https://example.org:22/", "refused_address"),
        ("https://example.org/" + "é" * 90, "address_is_too_long"),
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str, code: str, actor: Actor) -> None:
    with pytest.raises(Refusal) as refusal:
        _webhook(actor, url)
    assert (refusal.value.code, refusal.value.pointer) == (code, "/url")
    assert not Webhook.objects.exists()


@pytest.mark.django_db
def test_events_are_chosen_among_those_that_there_are(actor: Actor) -> None:
    for events in ([], ["case.closed"], ["ping"]):
        with pytest.raises(Refusal, match="declaration"):
            webhooks.create_webhook(actor=actor, url=URL, events=events)
    made = _webhook(actor, URL, "case.opened", "case.opened", "case.changed")
    assert made.events == ["case.changed", "case.opened"]
    with pytest.raises(Refusal):
        webhooks.choose_events(actor=actor, webhook=made, events=[])
    assert webhooks.choose_events(actor=actor, webhook=made, events=["check.finished"]).events == ["check.finished"]


@pytest.mark.django_db
def test_an_address_is_named_once_and_there_is_a_bound(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    _webhook(actor)
    with pytest.raises(Conflict, match="already"):
        _webhook(actor, URL.replace("example.org", "EXAMPLE.org:443"))
    monkeypatch.setattr(webhooks, "MOST", 1)
    with pytest.raises(Conflict, match="at most"):
        _webhook(actor, "https://example.org/2")
    _webhook(people.actor(people.organisation("OTHER")))


@pytest.mark.django_db
def test_what_is_done_is_on_record_and_no_secret_is(actor: Actor) -> None:
    made, secret = webhooks.create_webhook(actor=actor, url=URL + "?token=hidden", events=["case.opened"])
    webhooks.choose_events(actor=actor, webhook=made, events=["case.changed"])
    second = webhooks.rotate_secret(actor=actor, webhook=made)
    webhooks.ping(actor=actor, webhook=made)
    webhooks.disable_webhook(actor=actor, webhook=made)
    webhooks.enable_webhook(actor=actor, webhook=made)
    WebhookDelivery.objects.update(status="failed", next_attempt_at=None)
    webhooks.replay_failed(actor=actor, webhook=made)
    webhooks.remove_webhook(actor=actor, webhook=made)
    told = Event.objects.filter(object_kind="webhook").order_by("id")
    assert [event.verb.removeprefix("webhook.") for event in told] == [
        "created", "changed", "secret_changed", "tried", "disabled", "enabled", "replayed", "removed",
    ]  # fmt: skip
    kept = json.dumps([event.data for event in told])
    assert not any(word in kept for word in (secret, second, "hidden"))


@pytest.mark.django_db
def test_what_is_done_twice_is_refused(actor: Actor) -> None:
    made = _webhook(actor)
    with pytest.raises(Conflict):
        webhooks.enable_webhook(actor=actor, webhook=made)
    webhooks.disable_webhook(actor=actor, webhook=made)
    with pytest.raises(Conflict):
        webhooks.disable_webhook(actor=actor, webhook=made)
    with pytest.raises(Conflict):
        webhooks.ping(actor=actor, webhook=made)


# The secret


@pytest.mark.django_db
def test_the_database_holds_no_secret_in_clear(actor: Actor) -> None:
    made, secret = webhooks.create_webhook(actor=actor, url=URL, events=["case.opened"])
    assert secret.startswith("whsec_") and len(secret) == 49
    with connection.cursor() as cursor:
        cursor.execute("SELECT w::text FROM accounts_webhook w")
        assert secret.removeprefix("whsec_") not in cursor.fetchone()[0]
    assert webhooks.rotate_secret(actor=actor, webhook=made) != secret


@pytest.mark.django_db
def test_for_a_day_after_a_change_both_secrets_sign(actor: Actor, settings: Any) -> None:
    is_ours = _is_ours()
    with serving(says(answer())) as server:
        made, old = _to(server, actor, settings)
        new = webhooks.rotate_secret(actor=actor, webhook=made)
        _happens(actor)
        deliver_webhooks()
        Webhook.objects.update(previous_until=timezone.now())
        _happens(actor, "case-opened:8")
        deliver_webhooks()
    during, after = server.asked
    for secret, then, later in ((old, True, False), (new, True, True), ("whsec_x", False, False)):
        assert is_ours(secret, during.headers["jeongsan-signature"], during.body) == then
        assert is_ours(secret, after.headers["jeongsan-signature"], after.body) == later


@pytest.mark.django_db
def test_a_change_of_the_installations_key_is_survived_while_the_old_one_is_known(actor: Actor, settings: Any) -> None:
    with serving(says(answer())) as server:
        made, secret = _to(server, actor, settings)
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
        _happens(actor)
        deliver_webhooks()
        asked = server.asked[0]
        assert _is_ours()(secret, asked.headers["jeongsan-signature"], asked.body)
        settings.SECRET_KEY_FALLBACKS = []
        _happens(actor, "case-opened:8")
        deliver_webhooks()
        assert len(server.asked) == 1
        assert WebhookDelivery.objects.latest("id").error == "unreadable_secret"
        new = webhooks.rotate_secret(actor=actor, webhook=made)
        _later()
        deliver_webhooks()
        asked = server.asked[1]
        assert _is_ours()(new, asked.headers["jeongsan-signature"], asked.body)


# Publishing


@pytest.mark.django_db
def test_an_event_reaches_those_who_asked_for_it_once(actor: Actor, django_capture_on_commit_callbacks: Any) -> None:
    one, two, three = (
        _webhook(actor, f"https://example.org/{number}", *events)
        for number, events in enumerate((["case.opened"], ["case.opened", "case.changed"], ["check.finished"]))
    )
    _webhook(people.actor(people.organisation("OTHER")))
    with django_capture_on_commit_callbacks() as callbacks:
        _happens(actor, case=7, on=datetime.date(2026, 1, 1))
        _happens(actor, case=7)
    assert sorted(WebhookDelivery.objects.values_list("webhook_id", flat=True)) == sorted([one.pk, two.pk])
    assert not three.deliveries.exists() and callbacks
    body = json.loads(one.deliveries.get().body)
    assert body["data"] == {"case": 7, "on": "2026-01-01"}
    assert (body["key"], body["kind"]) == ("case-opened:7", "case.opened")


@pytest.mark.django_db
def test_who_asked_for_nothing_costs_one_query(actor: Actor, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # savepoint, look, release
        _happens(actor)


@pytest.mark.django_db
def test_an_event_stands_or_falls_with_its_change(actor: Actor) -> None:
    made = _webhook(actor)
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        publish(organisation_id=actor.organisation_id or 0, kind="case.opened", key="x", data={})
        raise ZeroDivisionError
    assert not made.deliveries.exists()
    with pytest.raises(ValueError, match="WEBHOOK_KINDS"):
        _happens(actor, kind="case.closed")
    with pytest.raises(ValueError, match="references"):
        _happens(actor, text="x" * 70_000)


def test_outside_a_transaction_nothing_is_published(committed_db: object) -> None:
    with pytest.raises(RuntimeError):
        publish(organisation_id=1, kind="case.opened", key="x", data={})


# Delivering


@pytest.mark.django_db
def test_what_arrives(actor: Actor, settings: Any) -> None:
    with serving(says(answer("204 No Content", length=False))) as server:
        made, secret = _to(server, actor, settings)
        _happens(actor, title="책")
        deliver_webhooks()
        deliver_webhooks()
    (asked,), delivery = server.asked, made.deliveries.get()
    assert asked.line == "POST /hook HTTP/1.1"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["jeongsan-event"] == "case.opened"
    assert asked.headers["jeongsan-delivery"] == str(delivery.pk)
    assert asked.body == delivery.body.encode() and json.loads(asked.body)["data"] == {"title": "책"}
    assert _is_ours()(secret, asked.headers["jeongsan-signature"], asked.body)
    assert (delivery.status, delivery.attempts, delivery.status_code, delivery.error) == ("delivered", 1, 204, "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw, code, error",
    [
        (answer("500 Oops", b"Traceback \x00\xff"), 500, "not_accepted"),
        (answer("302 Found", headers={"Location": "http://169.254.169.254/"}), 302, "not_accepted"),
        (b"", None, "unreachable"),
    ],
)
def test_a_failure_is_kept_and_tried_again(raw: bytes, code: Any, error: str, actor: Actor, settings: Any) -> None:
    with serving(says(raw)) as server:
        made, _secret = _to(server, actor, settings)
        _happens(actor)
        before = timezone.now()
        assert delivering.deliver_due() == 1
        assert delivering.deliver_due() == 0, "the webhook rests"
    delivery = made.deliveries.get()
    made.refresh_from_db()
    assert (delivery.status, delivery.status_code, delivery.error) == ("waiting", code, error)
    assert delivery.next_attempt_at and delivery.next_attempt_at >= before + core.WAITS[0]
    assert made.failing_since and made.rests_until
    assert len(delivery.answer) <= delivering.ANSWER_BYTES and "\x00" not in delivery.answer


@pytest.mark.django_db
def test_a_long_answer_is_cut_and_accepted(actor: Actor, settings: Any) -> None:
    with serving(says(answer(body=b"ok" * 50_000))) as server:
        made, _secret = _to(server, actor, settings)
        _happens(actor)
        deliver_webhooks()
    assert (made.deliveries.get().status, len(made.deliveries.get().answer)) == ("delivered", delivering.ANSWER_BYTES)


@pytest.mark.django_db
def test_a_private_address_is_never_sent_to(actor: Actor, settings: Any) -> None:
    """Given a webhook that was allowed once; when its name leads into the house; then nobody is asked."""
    with serving(says(answer())) as server:
        made, _secret = _to(server, actor, settings)
        settings.OUTBOUND_ALLOW = []
        Webhook.objects.update(url="https://127.0.0.1/")
        _happens(actor)
        deliver_webhooks()
        assert server.asked == []
    assert made.deliveries.get().error == "refused_address"


@pytest.mark.django_db
def test_the_schedule_is_walked_to_its_end_and_three_lost_deliveries_switch_off(actor: Actor, settings: Any) -> None:
    korean = people.person(_where(actor), email="ko@hanbit.example")
    User.objects.filter(pk=korean.pk).update(language="ko")
    people.person(_where(actor), "finance")
    with serving(says(answer("500 Oops"))) as server:
        made, _secret = _to(server, actor, settings)
        for number in range(3):
            _happens(actor, f"case-opened:{number}")
        waits = []
        for attempt in range(1, 3 * core.ATTEMPTS + 1):
            made.refresh_from_db()
            assert made.active, attempt
            _later()
            delivering.deliver_due()
            tried = made.deliveries.exclude(attempted_at=None).latest("attempted_at")
            if tried.next_attempt_at and tried.attempted_at:
                waits.append(tried.next_attempt_at - tried.attempted_at)
    made.refresh_from_db()
    assert not made.active
    assert set(made.deliveries.values_list("status", "attempts")) == {("failed", core.ATTEMPTS)}
    assert sorted({round(wait.total_seconds()) for wait in waits}) == [
        round(wait.total_seconds()) for wait in core.WAITS
    ]
    assert len(server.asked) == 3 * core.ATTEMPTS
    told = dict(Notice.objects.filter(kind="webhook").values_list("user__email", "subject"))
    assert set(told) == {"administrator@hanbit.example", "ko@hanbit.example"}
    assert told["administrator@hanbit.example"] == "A webhook is switched off: 127.0.0.1"
    assert told["ko@hanbit.example"] == "웹훅이 꺼졌습니다: 127.0.0.1"
    assert Event.objects.filter(verb="webhook.given_up").count() == 1


def _where(actor: Actor) -> Organisation:
    return Organisation.objects.of(actor)


@pytest.mark.django_db
def test_five_days_without_a_success_switch_off(actor: Actor, settings: Any) -> None:
    with serving(says(answer("500 Oops"))) as server:
        made, _secret = _to(server, actor, settings)
        _happens(actor)
        for days, still_on in ((4, True), (5, False)):
            Webhook.objects.update(failing_since=timezone.now() - datetime.timedelta(days=days))
            _later()
            delivering.deliver_due()
            made.refresh_from_db()
            assert made.active == still_on


@pytest.mark.django_db
def test_a_success_forgives_what_was_before(actor: Actor, settings: Any) -> None:
    with serving(says(answer())) as server:
        made, _secret = _to(server, actor, settings)
        Webhook.objects.update(failing_since=timezone.now() - datetime.timedelta(days=9), given_up=2)
        _happens(actor)
        deliver_webhooks()
    made.refresh_from_db()
    assert (made.failing_since, made.given_up, made.active) == (None, 0, True)


@pytest.mark.django_db
def test_what_happens_while_it_is_off_arrives_once_it_is_on(actor: Actor, settings: Any) -> None:
    with serving(says(answer())) as server:
        made, _secret = _to(server, actor, settings)
        webhooks.disable_webhook(actor=actor, webhook=made)
        _happens(actor)
        deliver_webhooks()
        assert server.asked == []
        webhooks.enable_webhook(actor=actor, webhook=made)
        deliver_webhooks()
        assert len(server.asked) == 1


@pytest.mark.django_db
def test_one_that_fails_holds_up_no_other(actor: Actor, settings: Any) -> None:
    """Ten events for each of two receivers, one of which fails: it is asked once, the other gets all of its own."""
    with serving(says(answer("500 Oops"))) as bad, serving(says(answer())) as good:
        _to(bad, actor, settings)
        _to(good, actor, settings)
        for number in range(10):
            _happens(actor, f"case-opened:{number}")
        deliver_webhooks()
    assert (len(bad.asked), len(good.asked)) == (1, 10)
    assert [json.loads(asked.body)["key"] for asked in good.asked] == [f"case-opened:{number}" for number in range(10)]


@pytest.mark.django_db
def test_a_delivery_is_sent_again_under_its_own_number(actor: Actor, settings: Any) -> None:
    with serving(says(answer())) as server:
        made, _secret = _to(server, actor, settings)
        _happens(actor)
        delivery = made.deliveries.get()
        with pytest.raises(Conflict):
            webhooks.replay(actor=actor, delivery=delivery)
        deliver_webhooks()
        webhooks.replay(actor=actor, delivery=delivery)
        deliver_webhooks()
    first, second = server.asked
    assert first.headers["jeongsan-delivery"] == second.headers["jeongsan-delivery"]
    assert first.body == second.body
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("delivered", 1)


@pytest.mark.django_db
def test_all_that_failed_is_sent_again(actor: Actor) -> None:
    made = _webhook(actor)
    for number in range(3):
        _happens(actor, f"case-opened:{number}")
    made.deliveries.exclude(event_key="case-opened:0").update(status="failed", next_attempt_at=None, attempts=7)
    assert webhooks.replay_failed(actor=actor, webhook=made) == 2
    assert set(made.deliveries.values_list("status", "attempts")) == {("waiting", 0)}
    assert webhooks.replay_failed(actor=actor, webhook=made) == 0
    assert Event.objects.filter(verb="webhook.replayed").count() == 1


@pytest.mark.django_db
def test_a_test_event_goes_out_whatever_was_chosen(actor: Actor, settings: Any) -> None:
    with serving(says(answer())) as server:
        made, _secret = _to(server, actor, settings)
        webhooks.ping(actor=actor, webhook=made)
        webhooks.ping(actor=actor, webhook=made)
        deliver_webhooks()
    assert [asked.headers["jeongsan-event"] for asked in server.asked] == ["ping", "ping"]


@pytest.mark.django_db
def test_a_sender_that_died_is_followed_and_its_late_answer_counts_for_nothing(actor: Actor) -> None:
    made = _webhook(actor)
    _happens(actor)
    (claimed,) = delivering._claim(delivering._due())
    assert delivering._due() == [], "claimed: nobody else takes it"
    _later()  # the lease has run out
    (second,) = delivering._claim(delivering._due())
    assert second.attempts == 2
    delivering._settle(claimed, delivering._Outcome(500, "not_accepted"))
    assert made.deliveries.get().error == ""
    delivering._settle(second, delivering._Outcome(200))
    assert made.deliveries.get().status == "delivered"


@pytest.mark.django_db
def test_a_webhook_that_is_removed_while_it_is_sent_to(actor: Actor) -> None:
    made = _webhook(actor)
    _happens(actor)
    (claimed,) = delivering._claim(delivering._due())
    webhooks.remove_webhook(actor=actor, webhook=made)
    delivering._settle(claimed, delivering._Outcome(200))
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db
def test_what_is_old_is_forgotten(actor: Actor) -> None:
    made = _webhook(actor)
    _happens(actor)
    forget_messages()
    assert made.deliveries.count() == 1
    made.deliveries.update(created_at=timezone.now() - datetime.timedelta(days=91))
    forget_messages()
    assert made.deliveries.count() == 0


def test_beat_sends_what_a_silent_queue_missed() -> None:
    assert {"accounts.notices.tasks.deliver_webhooks", "accounts.notices.tasks.forget_messages"} <= {
        entry["task"] for entry in BEAT.values()
    }


@pytest.mark.parametrize("claimed_once", [True, False])
def test_two_workers_send_each_delivery_once(
    claimed_once: bool, committed_db: object, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: where a claim is granted to everybody who asks, the receiver hears of an event twice."""

    def slow(talk: socket.socket, asked: Asked) -> None:
        time.sleep(0.05)
        talk.sendall(answer())

    if not claimed_once:
        monkeypatch.setattr(delivering, "_claim", lambda due: due)
        monkeypatch.setattr(delivering, "_settle", lambda delivery, outcome: None)
        monkeypatch.setattr(delivering, "BUDGET", 0.02)
    actor = people.actor(people.organisation())
    start = threading.Barrier(3)

    def work() -> None:
        try:
            start.wait()
            delivering.deliver_due()
        finally:
            connection.close()

    with serving(slow) as server:
        for number in range(6):
            _to(server, actor, settings, f"/{number}")
        _happens(actor)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    paths = sorted(asked.path for asked in server.asked)
    assert (len(paths) == len(set(paths)) == 6) == claimed_once
    assert set(paths) == {f"/{number}" for number in range(6)}


@pytest.mark.django_db
def test_the_notice_of_a_switched_off_webhook_is_mailed(actor: Actor, settings: Any) -> None:
    made = _webhook(actor)
    Webhook.objects.update(failing_since=timezone.now() - datetime.timedelta(days=6))
    _happens(actor)
    (claimed,) = delivering._claim(delivering._due())
    delivering._settle(claimed, delivering._Outcome(None, "too_slow"))
    mail_waiting()
    assert "example.org" in mail.outbox[-1].subject
    assert f"/webhooks/{made.pk}/" in mail.outbox[-1].body
