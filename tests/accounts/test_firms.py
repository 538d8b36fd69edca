"""A firm registers itself: an address that is proved, one firm a person, nobody else's name, and not too often."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from accounts.access.models import Membership
from accounts.access.services import register_firm
from accounts.evidence.models import Event
from accounts.identity.core import NOBODY, SYSTEM, Actor, Conflict, Forbidden, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from tests.accounts.people import organisation, person

pytestmark = pytest.mark.django_db
ENTERED = {"name": "Hanbit AI", "name_ko": "한빛", "country": "KR", "may": "on"}


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


def newcomer(email: str = "new@hanbit.example", *, proved: bool = True) -> User:
    """Somebody who opened an account by the link to their address."""
    user = User.objects.create_user(email, "pw")
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=proved)
    return user


def acting(user: User) -> Actor:
    return Actor(kind="user", id=user.pk, label=str(user), user_id=user.pk)


def test_who_registers_a_firm_is_its_administrator() -> None:
    user = newcomer()
    made = register_firm(actor=acting(user), name="Hanbit AI", name_ko="한빛")
    assert (made.kind, made.name, made.name_ko) == ("licensee", "Hanbit AI", "한빛")
    assert Membership.objects.get(user=user).organisation == made and Membership.objects.get().role == "administrator"
    verbs = Event.objects.filter(organisation_id=made.pk).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["organisation.created", "membership.added", "organisation.registered"]


def test_an_address_has_to_be_proved() -> None:
    with pytest.raises(Forbidden, match="Confirm"):
        register_firm(actor=acting(newcomer(proved=False)), name="Hanbit AI")
    assert not Organisation.objects.exists()


def test_who_works_for_a_society_registers_no_firm() -> None:
    """Nobody buys from the society that they act for."""
    clerk = person(organisation("KOMCA", "society"))
    with pytest.raises(Conflict, match="You act for"):
        register_firm(actor=acting(clerk), name="Hanbit AI")
    user = newcomer()
    register_firm(actor=acting(user), name="Hanbit AI")
    with pytest.raises(Conflict):
        register_firm(actor=acting(user), name="Second AI")


@pytest.mark.parametrize("actor", [SYSTEM, NOBODY, Actor(kind="token", id=1, label="x", user_id=None)])
def test_only_a_person_registers_one(actor: Actor) -> None:
    with pytest.raises(Forbidden):
        register_firm(actor=actor, name="Hanbit AI")


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "evil \u202e", "a\x00b", "komca", "Korea Music", "음악협회"])
def test_a_name_is_ones_own_and_can_be_read(name: str) -> None:
    organisation("KOMCA", "society", name="Korea Music", name_ko="음악협회")
    with pytest.raises(Refusal):
        register_firm(actor=acting(newcomer()), name=name)
    assert not Organisation.objects.filter(kind="licensee").exists()


def test_the_page_leads_a_stranger_through_the_account_and_back() -> None:
    answer = Client().get("/join/firm/", {"next": "/licences/ready/1/take/"})
    assert answer["Location"].startswith("/join/account/?next=%2Fjoin%2Ffirm%2F")
    client = Client()
    client.force_login(newcomer())
    assert client.get("/join/firm/").status_code == 200
    answer = client.post("/join/firm/?next=/tariffs/", ENTERED)
    assert answer["Location"] == "/tariffs/"
    assert "Hanbit AI" in client.get("/profile/").content.decode()


def test_who_has_a_firm_goes_on_at_once() -> None:
    """On the way to a licence, somebody signs in with the account of the firm."""
    client = Client()
    client.force_login(newcomer())
    client.post("/join/firm/", ENTERED)
    onward = "/licences/requests/new/?tariff=1"
    assert client.get("/join/firm/", {"next": onward})["Location"] == onward
    assert client.get("/join/firm/").status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", "x"]
)
def test_it_leads_nowhere_else(target: str) -> None:
    client = Client()
    client.force_login(newcomer())
    assert client.post(f"/join/firm/?next={target}", ENTERED)["Location"] == "/"


def test_who_may_not_act_for_it_is_told(client: Client) -> None:
    client.force_login(newcomer())
    answer = client.post("/join/firm/", ENTERED | {"may": ""})
    assert answer.status_code == 200 and not Organisation.objects.exists()
    assert client.post("/join/firm/", ENTERED | {"country": "XX"}).status_code == 200


def test_it_is_not_tried_without_end(client: Client) -> None:
    client.force_login(newcomer(proved=False))
    pages = [client.post("/join/firm/", ENTERED).content.decode() for _n in range(6)]
    assert "Confirm your e-mail" in pages[4] and "too often" in pages[5]
