"""Keys for programs: shown once, kept as a hash, refused when they should be."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.access import services
from accounts.access.models import Token
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from config.actors import actor_of_token
from tests.accounts import people

pytestmark = pytest.mark.django_db


def test_the_format_and_what_is_kept() -> None:
    token, text = people.token(people.organisation(), "declarations.view")
    assert re.fullmatch(r"jsk_live_[A-Za-z0-9]{12}_[A-Za-z0-9]{43}", text)
    secret = text.rsplit("_", 1)[1]
    kept = Token.objects.filter(pk=token.pk).values().get()
    assert secret not in str(kept)
    assert re.fullmatch(r"[0-9a-f]{64}", kept["secret_hash"])
    assert secret not in str(list(Event.objects.values()))


def test_a_sandbox_token_says_so_and_acts_so() -> None:
    _token, text = people.token(people.organisation(), sandbox=True)
    assert text.startswith("jsk_test_")
    assert actor_of_token(services.authenticate_token(text)).sandbox


def test_the_right_token_opens() -> None:
    hanbit = people.organisation()
    token, text = people.token(hanbit, "declarations")
    actor = actor_of_token(services.authenticate_token(text))
    assert (actor.kind, actor.id, actor.organisation_id, actor.organisation_kind) == (
        "token",
        token.pk,
        hanbit.pk,
        "licensee",
    )
    assert actor.permissions == {"declarations.declare", "declarations.view"}
    assert actor.user_id is None


def _changed(text: str) -> list[str]:
    other = "A" if text[-1] != "A" else "B"
    prefix = text.split("_")[2]
    return [
        text[:-1] + other, text + "x", text.replace("jsk_live", "jsk_test"), text.replace(prefix, "aaaaaaaaaaaa"),
        "", "jsk_live", "jsk_live__", "nonsense", text.replace("_", "-"), text + "é", "jsk_live_" + "x" * 500,
    ]  # fmt: skip


def test_anything_else_is_unknown() -> None:
    _token, text = people.token(people.organisation())
    for wrong in _changed(text):
        with pytest.raises(services.TokenRefused) as refusal:
            services.authenticate_token(wrong)
        assert refusal.value.code == "token_unknown", wrong


def test_an_expired_token_is_refused() -> None:
    token, text = people.token(people.organisation(), expires_at=timezone.now() + datetime.timedelta(days=1))
    services.authenticate_token(text)
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    with pytest.raises(services.TokenRefused) as refusal:
        services.authenticate_token(text)
    assert refusal.value.code == "token_expired"


def test_a_revoked_token_is_refused_and_revoking_twice_too() -> None:
    hanbit = people.organisation()
    token, text = people.token(hanbit)
    services.revoke_token(actor=people.actor(hanbit), token=token)
    with pytest.raises(services.TokenRefused) as refusal:
        services.authenticate_token(text)
    assert refusal.value.code == "token_revoked"
    with pytest.raises(Conflict):
        services.revoke_token(actor=SYSTEM, token=token)


def test_the_use_is_noted_at_most_once_a_minute() -> None:
    token, text = people.token(people.organisation())

    def writes() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            services.authenticate_token(text)
        return sum(query["sql"].startswith("UPDATE") for query in queries)

    assert [writes(), writes()] == [1, 0]
    Token.objects.filter(pk=token.pk).update(last_used_at=timezone.now() - datetime.timedelta(seconds=61))
    assert writes() == 1


def test_a_key_change_keeps_tokens_while_the_old_key_is_a_fallback(settings: Any) -> None:
    _token, text = people.token(people.organisation())
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [old]
    services.authenticate_token(text)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(services.TokenRefused):
        services.authenticate_token(text)


def test_only_those_who_manage_tokens_issue_them() -> None:
    hanbit, other = people.organisation(), people.organisation("OTHER")
    with pytest.raises(Forbidden):
        services.issue_token(actor=people.actor(hanbit, "declarant"), organisation=hanbit, scopes="*")
    with pytest.raises(NotFound):
        services.issue_token(actor=people.actor(hanbit), organisation=other, scopes="*")
    assert not Token.objects.exists()
    services.issue_token(actor=people.actor(hanbit), organisation=hanbit, scopes="*")


def test_a_stranger_revokes_nothing() -> None:
    token, text = people.token(people.organisation())
    with pytest.raises(Conflict):
        services.revoke_token(actor=people.actor(people.organisation("OTHER")), token=token)
    services.authenticate_token(text)


def test_a_token_belongs_to_one_owner() -> None:
    hanbit = people.organisation()
    with pytest.raises(Refusal):
        services.issue_token(actor=SYSTEM, scopes="*")
    with pytest.raises(Refusal):
        services.issue_token(actor=SYSTEM, organisation=hanbit, user=people.person(hanbit), scopes="*")


def test_a_creators_token_ends_with_the_account() -> None:
    user = people.person(people.organisation("KOSA", "society"))
    _token, text = services.issue_token(actor=SYSTEM, user=user, scopes="statements.view")
    services.authenticate_token(text)
    user.is_active = False
    user.save()
    with pytest.raises(services.TokenRefused):
        services.authenticate_token(text)


def test_a_scope_that_the_organisation_lost_no_longer_counts() -> None:
    token, text = people.token(people.organisation())
    Token.objects.filter(pk=token.pk).update(scopes=["declarations.view", "distribution.approve", "members.manage"])
    assert actor_of_token(services.authenticate_token(text)).permissions == {"declarations.view"}


@pytest.mark.parametrize("role, offered", [("administrator", True), ("auditor", False)])
def test_the_menu_offers_tokens_to_those_who_may_keep_them(client: Client, role: str, offered: bool) -> None:
    client.force_login(people.person(people.organisation("KOREA-WEB", "society"), role))
    assert (f'href="{reverse("accounts:tokens")}"' in client.get(reverse("accounts:profile")).text) is offered
