"""The pages of the ground floor, as people use them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.access import services
from accounts.access.models import Membership, Token
from accounts.approvals.services import decide, request_approval
from accounts.evidence.models import Event
from accounts.identity import links
from accounts.identity.core import SYSTEM, Reference
from accounts.identity.models import User
from accounts.notices.models import Notice
from accounts.notices.services import notify
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.repertoire.models import Holder, Representation
from tests.accounts import people

pytestmark = pytest.mark.django_db
STRONG = "correct horse battery"
PAGES = {
    "accounts:profile": None,
    "accounts:staff": "members.manage",
    "accounts:tokens": "tokens.manage",
    "accounts:notices": None,
    "accounts:approvals": "approvals.decide",
    "accounts:evidence": "evidence.view",
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def hanbit() -> Organisation:
    return people.organisation(name="Hanbit AI")


@pytest.fixture
def administrator(hanbit: Organisation) -> User:
    return people.person(hanbit)


@pytest.mark.parametrize("route", PAGES)
def test_a_stranger_is_sent_to_sign_in_and_back(route: str) -> None:
    response = Client().get(reverse(route))
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={reverse(route)}")


@pytest.mark.parametrize("route,permission", PAGES.items())
def test_each_page_opens_for_its_permission_only(route: str, permission: str | None, hanbit: Organisation) -> None:
    for role in ("administrator", "declarant", "finance", "viewer"):
        user = people.person(hanbit, role)
        allowed = permission is None or actor_of_user(user).can(permission)
        response = signed_in(user).get(reverse(route))
        assert response.status_code == (200 if allowed else 403), role
        assert "Hanbit AI" in response.content.decode()


# The first sign-in


def _invited() -> User:
    return services.create_user(
        actor=SYSTEM, email="kim@hanbit.example", organisation=people.organisation(), role="viewer"
    )


def test_a_link_leads_to_a_password_and_in() -> None:
    user, client = _invited(), Client()
    address = reverse("accounts:welcome", args=[links.sign(user)])
    assert "kim@hanbit.example" in client.get(address).content.decode()
    weak = client.post(address, {"password": "short", "again": "short"})
    assert "too short" in weak.content.decode()
    differ = client.post(address, {"password": STRONG, "again": STRONG + "x"})
    assert "differ" in differ.content.decode()
    done = client.post(address, {"password": STRONG, "again": STRONG, "name": "Kim"})
    assert (done.status_code, done["Location"]) == (302, "/")
    assert client.get(reverse("accounts:profile")).status_code == 200
    assert client.get(address).status_code == 404
    assert Client().post(address, {"password": "another strong", "again": "another strong"}).status_code == 404


def test_afterwards_one_signs_in_by_email_in_any_case() -> None:
    services.accept_invitation(token=links.sign(_invited()), password=STRONG)
    client = Client()
    wrong = client.post("/accounts/login/", {"login": "kim@hanbit.example", "password": "wrong"})
    assert wrong.status_code == 200
    right = client.post("/accounts/login/", {"login": "KIM@Hanbit.Example", "password": STRONG})
    assert (right.status_code, right["Location"]) == (302, "/")


def test_one_comes_in_in_ones_own_language() -> None:
    services.accept_invitation(token=links.sign(_invited()), password=STRONG)
    User.objects.update(language="ko")
    who = {"login": "kim@hanbit.example", "password": STRONG}
    assert Client().post("/accounts/login/", who).cookies["django_language"].value == "ko"
    chosen = Client()
    chosen.cookies["django_language"] = "en"
    assert "django_language" not in chosen.post("/accounts/login/", who).cookies


def test_guessing_is_slowed_down() -> None:
    from django.core.cache import cache

    cache.clear()
    services.accept_invitation(token=links.sign(_invited()), password=STRONG)
    client = Client()
    for _ in range(6):
        client.post("/accounts/login/", {"login": "kim@hanbit.example", "password": "wrong"})
    blocked = client.post("/accounts/login/", {"login": "kim@hanbit.example", "password": STRONG})
    assert blocked.status_code == 200
    assert "Too many failed" in blocked.content.decode()
    cache.clear()


def test_nobody_signs_up_by_themselves() -> None:
    client = Client()
    response = client.post("/accounts/signup/", {"email": "new@x.example", "password1": STRONG, "password2": STRONG})
    assert response.status_code == 200
    assert not User.objects.exists()


def test_a_forgotten_password_is_reset_by_mail() -> None:
    services.accept_invitation(token=links.sign(_invited()), password=STRONG)
    client = Client()
    client.post("/accounts/password/reset/", {"email": "kim@hanbit.example"})
    (message,) = mail.outbox
    assert "/accounts/password/reset/key/" in message.body


# Profile and capacity


def test_the_profile_keeps_name_and_language(administrator: User) -> None:
    client = signed_in(administrator)
    response = client.post(reverse("accounts:profile"), {"name": "김한빛", "language": "ko"})
    assert response.status_code == 302
    administrator.refresh_from_db()
    assert (administrator.name, administrator.language) == ("김한빛", "ko")
    assert client.cookies["django_language"].value == "ko"
    assert Event.objects.filter(verb="person.changed").count() == 1


def test_switching_capacity_changes_who_one_is(hanbit: Organisation, administrator: User) -> None:
    kosa = people.organisation("KOSA", "society")
    people.person(kosa, "auditor", administrator.email)
    holder = Holder.objects.create(society=kosa, ref="H1", name="Kim")
    Representation.objects.create(user=administrator, holder=holder)
    client = signed_in(administrator)
    assert client.get(reverse("accounts:tokens")).status_code == 200
    page = client.get(reverse("accounts:profile")).content.decode()
    assert f"organisation:{kosa.pk}" in page
    assert 'value="creator"' in page
    client.post(reverse("accounts:switch"), {"capacity": f"organisation:{kosa.pk}"})
    assert client.get(reverse("accounts:tokens")).status_code == 403
    assert client.get(reverse("accounts:evidence")).status_code == 200
    client.post(reverse("accounts:switch"), {"capacity": "creator"})
    assert client.get(reverse("accounts:evidence")).status_code == 403


def test_a_capacity_that_is_not_ones_own(administrator: User) -> None:
    other = people.organisation("OTHER")
    response = signed_in(administrator).post(reverse("accounts:switch"), {"capacity": f"organisation:{other.pk}"})
    assert response.status_code == 409
    assert "cannot act as that" in response.content.decode()


def test_a_role_that_was_taken_away_counts_at_once(hanbit: Organisation, administrator: User) -> None:
    client = signed_in(administrator)
    people.person(hanbit, email="second@hanbit.example")
    assert client.get(reverse("accounts:staff")).status_code == 200
    services.remove_member(actor=SYSTEM, membership=Membership.objects.get(user=administrator))
    assert client.get(reverse("accounts:staff")).status_code == 403


# Staff


def test_an_administrator_adds_and_removes(hanbit: Organisation, administrator: User) -> None:
    client, staff = signed_in(administrator), reverse("accounts:staff")
    added = client.post(staff, {"email": "new@hanbit.example", "name": "New", "role": "declarant"})
    assert added.status_code == 302
    membership = Membership.objects.get(user__email="new@hanbit.example")
    assert "new@hanbit.example" in client.get(staff).content.decode()
    client.post(reverse("accounts:staff_remove", args=[membership.pk]))
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_a_lost_link_is_sent_again(administrator: User, django_capture_on_commit_callbacks: Any) -> None:
    client, staff = signed_in(administrator), reverse("accounts:staff")
    client.post(staff, {"email": "new@hanbit.example", "name": "New", "role": "declarant"})
    membership = Membership.objects.get(user__email="new@hanbit.example")
    again = reverse("accounts:staff_invite", args=[membership.pk])
    assert again in client.get(staff).content.decode()
    with django_capture_on_commit_callbacks() as callbacks:
        assert client.post(again).status_code == 302
    assert len(callbacks) == 1
    services.accept_invitation(token=links.sign(membership.user), password=STRONG)
    assert again not in client.get(staff).content.decode()
    assert client.post(again).status_code == 409  # nobody is sent a way into an account that is in use


def test_the_role_must_be_one_of_this_kind(administrator: User) -> None:
    response = signed_in(administrator).post(
        reverse("accounts:staff"), {"email": "n@x.example", "role": "distribution"}
    )
    assert response.status_code == 200
    assert not User.objects.filter(email="n@x.example").exists()


def test_the_last_administrator_reads_why_they_stay(administrator: User) -> None:
    client, staff = signed_in(administrator), reverse("accounts:staff")
    only = Membership.objects.get()
    response = client.post(
        reverse("accounts:staff_remove", args=[only.pk]), headers={"Referer": f"http://testserver{staff}"}, follow=True
    )
    assert response.redirect_chain == [(f"http://testserver{staff}", 302)]
    assert "last administrator" in response.content.decode()
    bare = client.post(reverse("accounts:staff_remove", args=[only.pk]), headers={"Referer": "https://evil.example/"})
    assert bare.status_code == 409
    assert Membership.objects.exists()


def test_another_houses_staff_is_not_there(administrator: User) -> None:
    people.person(people.organisation("OTHER"))
    theirs = Membership.objects.get(organisation__ref="OTHER")
    assert signed_in(administrator).post(reverse("accounts:staff_remove", args=[theirs.pk])).status_code == 404
    assert Membership.objects.filter(pk=theirs.pk).exists()


# Tokens


def _issue(client: Client, **details: Any) -> str:
    fields = {"name": "intake", "mode": "live", "days": "90", "scopes": ["declarations.declare"]} | details
    page = client.post(reverse("accounts:tokens"), fields).content.decode()
    found = re.search(r"jsk_(?:live|test)_\w{12}_\w{43}", page)
    return found.group() if found else ""


def test_a_token_is_shown_once_and_revoked(administrator: User) -> None:
    client, page = signed_in(administrator), reverse("accounts:tokens")
    text = _issue(client)
    assert services.authenticate_token(text).name == "intake"
    assert text not in client.get(page).content.decode()
    client.post(reverse("accounts:token_revoke", args=[Token.objects.get().pk]))
    with pytest.raises(services.TokenRefused):
        services.authenticate_token(text)
    assert client.get(page)["Cache-Control"].count("no-store") == 1


def test_modes_and_terms(administrator: User) -> None:
    client = signed_in(administrator)
    assert _issue(client, mode="sandbox").startswith("jsk_test_")
    assert services.authenticate_token(_issue(client, days="0")).expires_at is None
    assert _issue(client, scopes=["members.manage"]) == ""
    assert _issue(client, scopes=[]) == ""


def test_another_houses_token_is_not_there(administrator: User) -> None:
    theirs = people.token(people.organisation("OTHER"))[0]
    assert signed_in(administrator).post(reverse("accounts:token_revoke", args=[theirs.pk])).status_code == 404


def test_a_creator_has_tokens_of_their_own() -> None:
    user = services.create_person(actor=SYSTEM, email="kim@kim.example")[0]
    holder = Holder.objects.create(society=people.organisation("KOSA", "society"), ref="H1", name="Kim")
    Representation.objects.create(user=user, holder=holder)
    text = _issue(signed_in(user), scopes=["statements.view"])
    assert services.authenticate_token(text).user == user


# Notices, evidence, approvals


def test_notices_are_read_one_by_one_and_all_at_once(administrator: User) -> None:
    for number in range(3):
        notify(user_ids=[administrator.pk], key=f"k{number}", kind="x", subject=f"Subject {number}", link="/tariffs/")
    client, page = signed_in(administrator), reverse("accounts:notices")
    assert "Subject 2" in client.get(page).content.decode()
    opened = client.post(reverse("accounts:notice_read", args=[Notice.objects.get(key="k0").pk]))
    assert opened["Location"] == "/tariffs/"
    assert Notice.objects.unread().count() == 2
    client.post(reverse("accounts:notices_read"))
    assert Notice.objects.unread().count() == 0


def test_somebody_elses_notice_is_not_there(hanbit: Organisation, administrator: User) -> None:
    other = people.person(hanbit, "viewer")
    notify(user_ids=[other.pk], key="k", kind="x", subject="Secret")
    client = signed_in(administrator)
    assert "Secret" not in client.get(reverse("accounts:notices")).content.decode()
    assert client.post(reverse("accounts:notice_read", args=[Notice.objects.get().pk])).status_code == 404


def test_evidence_is_paged_and_narrowed(hanbit: Organisation, administrator: User) -> None:
    for number in range(60):
        people.token(hanbit, name=f"n{number}")
    client, page = signed_in(administrator), reverse("accounts:evidence")
    first = client.get(page).content.decode()
    assert first.count("token.issued") == 50
    older = re.search(r"\?before=(\d+)", first)
    assert older is not None
    assert client.get(f"{page}?before={older.group(1)}").content.decode().count("token.issued") == 10
    token = Token.objects.latest("id")
    assert client.get(f"{page}?object=token:{token.pk}").content.decode().count("token.issued") == 1
    for odd in (
        "?object=",
        "?object=token",
        "?object=:",
        "?before=x",
        "?before=-1",
        "?before=9" + "9" * 30,
        "?object=%F0%9F",
    ):
        assert client.get(page + odd).status_code == 200, odd


def test_approvals_show_what_waits_and_who_must_not_decide() -> None:
    kosa = people.organisation("KOSA", "society")
    asker, other = people.person(kosa, "distribution"), people.person(kosa, "finance")
    asked = request_approval(
        actor=actor_of_user(asker),
        kind="run",
        object=Reference("run", 7),
        organisation_id=kosa.pk,
        subject_sha256="a" * 64,
    )
    page = reverse("accounts:approvals")
    assert "needs a second person" in signed_in(asker).get(page).content.decode()
    assert "needs a second person" not in signed_in(other).get(page).content.decode()
    decide(actor=actor_of_user(other), approval=asked, approve=False, reason="The pool is wrong.")
    assert "The pool is wrong." in signed_in(asker).get(page).content.decode()


@pytest.mark.parametrize("route", PAGES)
def test_pages_cost_few_queries(
    route: str, hanbit: Organisation, administrator: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        people.token(hanbit)
        people.person(hanbit, "viewer", f"v{number}@hanbit.example")
    client = signed_in(administrator)
    with django_assert_max_num_queries(11):
        client.get(reverse(route))
