"""A second factor: set up by the person, asked for at sign-in, stored so that a stolen database is no help."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client

from accounts.access import services
from accounts.identity import links
from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from tests.accounts import people

pytestmark = pytest.mark.django_db
STRONG = "correct horse battery"
WHO = {"login": "kim@x.example", "password": STRONG}


def _code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.fixture
def client() -> Client:
    cache.clear()
    house = people.organisation()
    user = services.create_user(actor=SYSTEM, email="kim@x.example", organisation=house, role="viewer")
    services.accept_invitation(token=links.sign(user), password=STRONG)
    client = Client()
    assert client.post("/accounts/login/", WHO)["Location"] == "/"
    return client


def _activate(client: Client) -> str:
    client.post("/accounts/reauthenticate/", {"password": STRONG})
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    secret: str = client.session["mfa.totp.secret"]
    done = client.post("/accounts/2fa/totp/activate/", {"code": _code(secret)})
    assert done.status_code == 302
    return secret


def test_it_is_asked_for_at_the_next_sign_in(client: Client) -> None:
    secret = _activate(client)
    cache.clear()  # a code counts once: the next sign-in may not come in the same half minute
    again = Client()
    half = again.post("/accounts/login/", WHO)
    assert half["Location"] == "/accounts/2fa/authenticate/"
    assert again.get("/profile/").status_code == 302
    assert again.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    whole = again.post("/accounts/2fa/authenticate/", {"code": _code(secret)})
    assert whole["Location"] == "/"
    assert again.get("/profile/").status_code == 200


def test_a_one_time_link_does_not_stand_in_for_it(client: Client) -> None:
    _activate(client)
    link = f"/welcome/{links.sign(User.objects.get())}/"
    other = Client()
    assert (
        other.post(link, {"password": "another long one", "again": "another long one"})["Location"]
        == "/accounts/login/"
    )
    assert other.get("/profile/").status_code == 302


def test_the_secret_is_stored_encrypted(client: Client, settings: object) -> None:
    secret = _activate(client)
    kept = Authenticator.objects.get(type="totp", user=User.objects.get()).data["secret"]
    assert secret not in kept
    assert get_adapter().decrypt(kept) == secret


def test_a_new_secret_key_still_reads_what_the_old_one_encrypted(settings: object) -> None:
    adapter = get_adapter()
    kept = adapter.encrypt("hidden")
    assert adapter.encrypt("hidden") != kept
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert adapter.decrypt(kept) == "hidden"


def test_setting_it_up_asks_for_the_password_again(client: Client) -> None:
    for address in ("/accounts/2fa/totp/activate/", "/accounts/email/"):
        response = client.post(address, {"email": "thief@x.example", "action_add": ""})
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/reauthenticate/")
    assert not Authenticator.objects.exists()
    assert EmailAddress.objects.count() == 1
