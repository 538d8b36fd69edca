"""Who a person is when they act: for an organisation, or for the holders whom they represent."""

from __future__ import annotations

import pytest

from accounts.access import services
from accounts.identity.core import SYSTEM, Forbidden, NotFound
from accounts.identity.models import User
from config.actors import actor_by_email, actor_in, actor_of_token, actor_of_user, capacities_of
from licensing.repertoire.models import Holder, Representation
from tests.accounts import people

pytestmark = pytest.mark.django_db


def _represents(user: User, scope: str, ref: str) -> Holder:
    kosa = people.organisation("KOSA", "society")
    holder = Holder.objects.create(society=kosa, ref=ref, name=ref)
    Representation.objects.create(user=user, holder=holder, scope=scope)
    return holder


def _alone() -> User:
    return services.create_person(actor=SYSTEM, email="kim@kim.example")[0]


def test_a_person_without_any_role_may_nothing() -> None:
    actor = actor_of_user(_alone())
    assert (actor.organisation_id, actor.permissions, actor.holder_ids) == (None, frozenset(), frozenset())


def test_the_first_membership_is_the_usual_one() -> None:
    first, second = people.organisation("FIRST", "society"), people.organisation("SECOND")
    user = people.person(first, "finance", "kim@kim.example")
    people.person(second, "declarant", "kim@kim.example")
    people.person(first, "auditor", "kim@kim.example")
    assert actor_of_user(user).organisation_id == first.pk
    assert actor_of_user(user).roles == {"finance", "auditor"}
    there = actor_of_user(user, second.pk)
    assert (there.organisation_kind, there.roles, there.holder_ids) == ("licensee", {"declarant"}, frozenset())
    assert there.can("declarations.declare")
    assert not there.can("ledger.view")


def test_no_one_acts_for_an_organisation_that_is_not_theirs() -> None:
    user, other = people.person(people.organisation()), people.organisation("OTHER")
    with pytest.raises(Forbidden):
        actor_of_user(user, other.pk)
    with pytest.raises(Forbidden):
        actor_by_email(user.email, other)
    with pytest.raises(NotFound, match="create_user"):
        actor_by_email("nobody@nowhere.example")


def test_a_creator_acts_for_the_holders_they_represent() -> None:
    user = _alone()
    mine, mothers = _represents(user, "member", "H1"), _represents(user, "full", "H2")
    actor = actor_of_user(user)
    assert actor.holder_ids == {mine.pk, mothers.pk}
    assert actor.organisation_id is None
    assert actor.can("statements.view")


def test_a_narrow_delegate_does_not_gain_by_being_a_member_too() -> None:
    user = _alone()
    mine, clients = _represents(user, "member", "H1"), _represents(user, "catalogue", "H2")
    member, delegate = (actor_in(user, capacity) for capacity in capacities_of(user))
    assert (member.holder_ids, member.can("statements.view")) == ({mine.pk}, True)
    assert (delegate.holder_ids, delegate.can("statements.view")) == ({clients.pk}, False)


def test_staff_acting_for_the_society_represents_nobody() -> None:
    kosa = people.organisation("KOSA", "society")
    user = people.person(kosa, "repertoire")
    _represents(user, "member", "H1")
    assert actor_of_user(user).holder_ids == frozenset()
    assert [capacity.key for capacity in capacities_of(user)] == [f"organisation:{kosa.pk}", "creator"]


def test_a_creators_token_sees_what_the_creator_sees() -> None:
    user = _alone()
    mine = _represents(user, "member", "H1")
    _represents(user, "catalogue", "H2")
    token, _text = services.issue_token(actor=actor_of_user(user), user=user, scopes="statements.view")
    actor = actor_of_token(token)
    assert (actor.user_id, actor.holder_ids, actor.permissions) == (user.pk, {mine.pk}, {"statements.view"})


def test_building_an_actor_takes_two_queries(django_assert_num_queries: object) -> None:
    user = people.person(people.organisation())
    with django_assert_num_queries(2):  # type: ignore[operator]
        actor_of_user(user)
