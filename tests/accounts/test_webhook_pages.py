"""Webhooks on pages and over the API: for administrators, with the secret shown once."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.access.models import RememberedAnswer
from accounts.identity.sealing import unseal
from accounts.notices.models import Webhook, WebhookDelivery
from accounts.notices.services import webhooks
from accounts.organisations.models import Organisation
from tests.accounts import people
from tests.accounts.test_webhooks import URL, _happens

pytestmark = pytest.mark.django_db
API = "/api/v1/webhooks/"


@pytest.fixture(autouse=True)
def _no_limit() -> None:
    cache.clear()


@pytest.fixture
def firm() -> Organisation:
    return people.organisation()


@pytest.fixture
def client(firm: Organisation) -> Client:
    made = Client()
    made.force_login(people.person(firm))
    return made


def _made(firm: Organisation, url: str = URL) -> Webhook:
    """Set up by another administrator, with one delivery that failed and one that arrived."""
    actor = people.actor(firm, email=f"a{firm.pk}@firm.example")
    made = webhooks.create_webhook(actor=actor, url=url, events=["case.opened"])[0]
    for number in range(2):
        _happens(actor, f"case-opened:{number}")
    failed = {"status": "failed", "next_attempt_at": None, "status_code": 500, "error": "not_accepted", "answer": "<b>"}
    made.deliveries.filter(event_key="case-opened:0").update(**failed)
    return made


def _bearer(firm: Organisation, scopes: str = "webhooks.manage", **details: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {people.token(firm, scopes, **details)[1]}"})


# Pages


def test_a_webhook_is_set_up_and_its_secret_is_seen_once(client: Client) -> None:
    assert "No webhooks yet" in client.get(reverse("accounts:webhooks")).content.decode()
    answer = client.post(reverse("accounts:webhook_new"), {"url": URL, "events": ["case.opened", "check.finished"]})
    made = Webhook.objects.get()
    secret = unseal(made.secret)
    assert secret in answer.content.decode() and "no-store" in answer["Cache-Control"]
    for name in ("accounts:webhooks", "accounts:webhook"):
        page = client.get(reverse(name, args=[made.pk] if name.endswith("k") else []))
        assert page.status_code == 200 and secret not in page.content.decode()


@pytest.mark.parametrize(
    "data, said",
    [
        ({"url": "http://example.org/", "events": ["case.opened"]}, "https://"),
        ({"url": URL, "events": ["case.closed"]}, "case.closed"),
        ({"url": URL}, "required"),
        ({"url": "https://10.0.0.1:22/", "events": ["case.opened"]}, "Port 22"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(data: dict[str, Any], said: str, client: Client) -> None:
    assert said in client.post(reverse("accounts:webhook_new"), data).content.decode()
    assert not Webhook.objects.exists()


def test_the_navigation_leads_administrators_there(client: Client, firm: Organisation) -> None:
    address = reverse("accounts:webhooks")
    assert address in client.get(reverse("accounts:notices")).content.decode()
    client.force_login(people.person(firm, "viewer"))
    assert address not in client.get(reverse("accounts:notices")).content.decode()
    assert client.get(address).status_code == 403


def test_deliveries_are_listed_with_how_they_arrived(client: Client, firm: Organisation) -> None:
    made = _made(firm)
    page = client.get(reverse("accounts:webhook", args=[made.pk])).content.decode()
    assert "case-opened:0" in page and "case-opened:1" in page and "500" in page
    only = client.get(reverse("accounts:webhook", args=[made.pk]), {"status": "failed"}).content.decode()
    assert "case-opened:0" in only and "case-opened:1" not in only
    assert "No deliveries with this status" in client.get(
        reverse("accounts:webhook", args=[made.pk]), {"status": "delivered"}
    ).content.decode()  # fmt: skip
    failed = made.deliveries.get(status="failed")
    shown = client.get(reverse("accounts:webhook_delivery", args=[made.pk, failed.pk])).content.decode()
    assert "&lt;b&gt;" in shown and "<b>" not in shown and "&quot;key&quot;:&quot;case-opened:0&quot;" in shown


def test_a_long_list_is_as_cheap_as_a_short_one(
    client: Client, firm: Organisation, django_assert_max_num_queries: Any
) -> None:
    made = _made(firm)
    body = WebhookDelivery(webhook=made, kind="case.opened", body="{}", status="failed")
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(webhook=made, kind=body.kind, body="{}", status="failed", event_key=f"k{n}")
            for n in range(99)
        ]
    )
    with django_assert_max_num_queries(12):
        page = client.get(reverse("accounts:webhook", args=[made.pk])).content.decode()
    assert "of 101" in page


def test_what_an_administrator_does_there(client: Client, firm: Organisation) -> None:
    made = _made(firm)
    failed = made.deliveries.get(status="failed")
    secret = made.secret

    def act(name: str, *more: int, **data: Any) -> Webhook | None:
        answer = client.post(reverse(f"accounts:webhook_{name}", args=[made.pk, *more]), data, follow=True)
        assert answer.status_code == 200, name
        return Webhook.objects.filter(pk=made.pk).first()

    act("replay", failed.pk)
    assert made.deliveries.get(pk=failed.pk).status == "waiting"
    made.deliveries.update(status="failed", next_attempt_at=None)
    act("replay_failed")
    assert not made.deliveries.filter(status="failed").exists()
    act("ping")
    assert made.deliveries.filter(kind="ping").count() == 1
    assert act("events", events=["check.finished"]).events == ["check.finished"]
    assert act("secret").secret != secret
    assert not act("disable").active
    assert act("enable").active
    assert act("remove") is None


def test_nobody_reaches_anothers_webhook(client: Client, firm: Organisation) -> None:
    theirs, mine = _made(people.organisation("OTHER")), _made(firm)
    delivery = theirs.deliveries.earliest("id")
    for name in ("secret", "enable", "disable", "remove", "ping", "replay_failed", "events"):
        assert client.post(reverse(f"accounts:webhook_{name}", args=[theirs.pk])).status_code == 404, name
    assert client.get(reverse("accounts:webhook", args=[theirs.pk])).status_code == 404
    for webhook in (theirs, mine):  # nor by way of a webhook of one's own
        address = [webhook.pk, delivery.pk]
        assert client.get(reverse("accounts:webhook_delivery", args=address)).status_code == 404
        assert client.post(reverse("accounts:webhook_replay", args=address)).status_code == 404
    theirs.refresh_from_db()
    assert theirs.active and theirs.deliveries.count() == 2


# The API


def test_a_program_sets_one_up_and_takes_it_down(firm: Organisation) -> None:
    program = _bearer(firm)
    answer = program.post(API, {"url": URL, "events": ["case.opened"]}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    made = Webhook.objects.get()
    assert answer.json() | {"created_at": None} == {
        "webhook": made.pk, "url": URL, "events": ["case.opened"], "active": True, "failing_since": None,
        "disabled_at": None, "created_at": None, "secret": unseal(made.secret),
    }  # fmt: skip
    (listed,) = program.get(API).json()["results"]
    assert listed == program.get(f"{API}{made.pk}/").json() and "secret" not in listed
    assert program.delete(f"{API}{made.pk}/").status_code == 204
    assert not Webhook.objects.exists()


def test_what_a_program_gets_wrong(firm: Organisation) -> None:
    program = _bearer(firm)
    for body, pointer in (
        ({"url": "http://example.org/", "events": ["case.opened"]}, "/url"),
        ({"url": URL, "events": []}, "/events"),
        ({"url": URL, "events": ["case.closed"]}, "/events/0"),
        ({"events": ["case.opened"]}, "/url"),
    ):
        answer = program.post(API, body, content_type="application/json")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert not Webhook.objects.exists()


def test_a_repeated_request_gets_the_secret_again_and_the_database_keeps_it_sealed(firm: Organisation) -> None:
    program, body = _bearer(firm), {"url": URL, "events": ["case.opened"]}
    key = {"Idempotency-Key": "one"}
    first = program.post(API, body, content_type="application/json", headers=key)
    again = program.post(API, body, content_type="application/json", headers=key)
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert first.json()["secret"].encode() not in bytes(RememberedAnswer.objects.get().body)
    assert Webhook.objects.count() == 1


def test_a_program_fetches_what_failed_and_has_it_sent_again(firm: Organisation) -> None:
    program, made = _bearer(firm), _made(firm)
    (failed,) = program.get(f"{API}{made.pk}/deliveries/", {"status": "failed"}).json()["results"]
    assert (failed["event"], failed["status_code"], failed["error"]) == ("case-opened:0", 500, "not_accepted")
    assert len(program.get(f"{API}{made.pk}/deliveries/").json()["results"]) == 2
    address = f"{API}{made.pk}/deliveries/{failed['delivery']}/replay/"
    answer = program.post(address)
    assert (answer.status_code, answer.json()["status"], answer.json()["attempts"]) == (202, "waiting", 0)
    assert program.post(address).status_code == 409


def test_a_program_sees_its_own_organisations_only(firm: Organisation) -> None:
    theirs, mine = _made(people.organisation("OTHER")), _made(firm)
    delivery = theirs.deliveries.earliest("id").pk
    program = _bearer(firm)
    assert [each["webhook"] for each in program.get(API).json()["results"]] == [mine.pk]
    assert program.get(f"{API}{theirs.pk}/").status_code == 404
    assert program.delete(f"{API}{theirs.pk}/").status_code == 404
    assert program.get(f"{API}{theirs.pk}/deliveries/").status_code == 404
    for webhook in (theirs, mine):
        assert program.post(f"{API}{webhook.pk}/deliveries/{delivery}/replay/").status_code == 404


def test_a_test_token_has_no_webhooks(firm: Organisation) -> None:
    made, program = _made(firm), _bearer(firm, sandbox=True)
    assert program.get(API).json()["results"] == []
    assert program.get(f"{API}{made.pk}/deliveries/").status_code == 404
    answer = program.post(API, {"url": URL + "2", "events": ["case.opened"]}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "no_webhooks_in_sandbox")
