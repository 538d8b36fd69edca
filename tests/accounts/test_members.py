"""Organisations, their staff, and invitations."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core import mail, signing
from django.utils import timezone

from accounts.access import services
from accounts.access.models import Membership
from accounts.access.tasks import mail_invitation
from accounts.evidence.models import Event
from accounts.identity import links
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from tests.accounts import people

pytestmark = pytest.mark.django_db
STRONG = "correct horse battery"


def test_the_same_organisation_again_is_the_existing_one() -> None:
    assert people.organisation("KOSA", "society") == people.organisation("KOSA", "society")
    assert Event.objects.filter(verb="organisation.created").count() == 1


def test_a_ref_that_is_taken_is_refused() -> None:
    people.organisation("KOSA", "society")
    with pytest.raises(Conflict, match=r"KOSA.*taken"):
        people.organisation("KOSA", "licensee")


@pytest.mark.parametrize(
    "ref,kind",
    [("", "society"), ("has space", "society"), ("한글", "society"), ("X" * 65, "society"), ("KOSA", "choir")],
)
def test_a_ref_or_kind_that_cannot_be(ref: str, kind: str) -> None:
    with pytest.raises(Refusal):
        people.organisation(ref, kind)
    assert not Organisation.objects.exists()


def test_only_the_operator_makes_organisations() -> None:
    administrator = people.actor(people.organisation())
    with pytest.raises(Forbidden):
        services.create_organisation(actor=administrator, ref="NEW", kind="society", name="New")


def test_one_person_whatever_the_case_of_the_address() -> None:
    hanbit = people.organisation()
    people.person(hanbit, "declarant", "Kim@Hanbit.example")
    people.person(hanbit, "finance", " kim@hanbit.EXAMPLE ")
    assert User.objects.get().email == "kim@hanbit.example"
    assert set(Membership.objects.values_list("role", flat=True)) == {"declarant", "finance"}


def test_a_role_given_twice_is_held_once() -> None:
    hanbit = people.organisation()
    people.person(hanbit), people.person(hanbit)
    assert Membership.objects.count() == 1
    assert Event.objects.filter(verb="membership.added").count() == 1


@pytest.mark.parametrize("email", ["", "kim", "kim@", "a b@c.example"])
def test_what_is_no_address(email: str) -> None:
    with pytest.raises(Refusal) as refusal:
        services.create_user(actor=SYSTEM, email=email, organisation=people.organisation(), role="viewer")
    assert refusal.value.pointer == "/email"


def test_a_role_that_this_kind_does_not_have() -> None:
    with pytest.raises(Refusal, match="Its roles: administrator, declarant, finance, viewer"):
        people.person(people.organisation(), "distribution")
    assert not User.objects.exists()


def test_an_administrator_manages_the_own_house_only() -> None:
    hanbit, other = people.organisation(), people.organisation("OTHER")
    administrator = people.actor(hanbit)
    services.create_user(actor=administrator, email="new@hanbit.example", organisation=hanbit, role="viewer")
    with pytest.raises(NotFound):
        services.create_user(actor=administrator, email="x@other.example", organisation=other, role="viewer")
    with pytest.raises(Forbidden):
        services.create_user(
            actor=people.actor(hanbit, "declarant"), email="x@x.example", organisation=hanbit, role="viewer"
        )
    assert not User.objects.filter(email__startswith="x@").exists()


def test_nobody_sets_a_password_for_somebody_else() -> None:
    hanbit = people.organisation()
    with pytest.raises(Refusal, match="their own password"):
        services.create_user(
            actor=people.actor(hanbit), email="new@hanbit.example", organisation=hanbit, role="viewer", password=STRONG
        )


def test_a_known_persons_password_is_left_alone() -> None:
    user = people.person(people.organisation())
    services.create_user(
        actor=SYSTEM, email=user.email, organisation=people.organisation("OTHER"), role="viewer", password="stolen"
    )
    user.refresh_from_db()
    assert user.check_password("pw")


def test_the_last_administrator_stays() -> None:
    hanbit = people.organisation()
    administrator = people.actor(hanbit)
    with pytest.raises(Conflict, match="last administrator"):
        services.remove_member(actor=administrator, membership=Membership.objects.get())
    people.person(hanbit, email="second@hanbit.example")
    first = Membership.objects.order_by("id")[0]
    services.remove_member(actor=administrator, membership=first)
    assert Membership.objects.count() == 1
    with pytest.raises(NotFound):
        services.remove_member(actor=SYSTEM, membership=Membership(pk=first.pk, organisation=hanbit, role="viewer"))


def test_staff_is_visible_to_its_own_house() -> None:
    hanbit, other = people.organisation(), people.organisation("OTHER")
    ours, theirs = people.actor(hanbit), people.actor(other)
    assert [m.organisation_id for m in Membership.objects.visible_to(ours)] == [hanbit.pk]
    assert [m.organisation_id for m in Membership.objects.visible_to(theirs)] == [other.pk]


# Invitations


@pytest.fixture
def invited() -> User:
    return services.create_user(
        actor=SYSTEM, email="kim@hanbit.example", organisation=people.organisation(), role="viewer"
    )


def test_an_invitation_is_mailed_to_the_address_and_to_nobody_else(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    hanbit = people.organisation()
    administrator = people.actor(hanbit)
    settings.SITE_URL = "https://jeongsan.example"
    with django_capture_on_commit_callbacks() as callbacks:
        user = services.create_user(actor=administrator, email="new@hanbit.example", organisation=hanbit, role="viewer")
    assert len(callbacks) == 1
    mail_invitation(user.pk, hanbit.pk)
    (message,) = mail.outbox
    assert message.to == ["new@hanbit.example"]
    token = message.body.split("/welcome/")[1].split("/")[0]
    assert services.invited_by(token) == user
    with django_capture_on_commit_callbacks() as callbacks:
        services.create_user(actor=administrator, email="new@hanbit.example", organisation=hanbit, role="finance")
    assert not callbacks  # the person is known: there is nothing to set, and no second link goes out


def test_a_link_sets_a_password_once(invited: User) -> None:
    token = links.sign(invited)
    services.accept_invitation(token=token, password=STRONG, name="Kim")
    invited.refresh_from_db()
    assert invited.check_password(STRONG)
    assert invited.name == "Kim"
    for use in (services.invited_by, lambda t: services.accept_invitation(token=t, password="another strong one")):
        with pytest.raises(NotFound):
            use(token)
    invited.refresh_from_db()
    assert invited.check_password(STRONG)


def test_a_link_ends_with_the_day(invited: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = links.sign(invited)
    monkeypatch.setattr(signing.time, "time", lambda: timezone.now().timestamp() + 24 * 3600 + 1)
    with pytest.raises(NotFound):
        services.invited_by(token)


def test_a_link_ends_with_a_sign_in(invited: User) -> None:
    token = links.sign(invited)
    User.objects.filter(pk=invited.pk).update(last_login=timezone.now() - datetime.timedelta(hours=1))
    with pytest.raises(NotFound):
        services.invited_by(token)


def test_a_forged_link_is_void(invited: User) -> None:
    token = links.sign(invited)
    for forged in (
        "",
        "x",
        token[:-2],
        signing.dumps({"user": invited.pk}),
        signing.dumps({"user": invited.pk}, salt="jeongsan.sign-in-link"),
    ):
        with pytest.raises(NotFound):
            services.invited_by(forged)


@pytest.mark.parametrize("password", ["short", "1234567890123", "password123", "kim@hanbit.example"])
def test_a_weak_password_is_refused_with_all_that_is_wrong(invited: User, password: str) -> None:
    token = links.sign(invited)
    with pytest.raises(Refusal) as refusal:
        services.accept_invitation(token=token, password=password)
    assert refusal.value.code == "weak_password"
    assert refusal.value.errors[0]["pointer"] == "/password"
    assert services.invited_by(token) == invited  # the link still works
