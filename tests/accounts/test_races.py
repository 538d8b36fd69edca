"""What two people do at once, on real connections."""

from __future__ import annotations

from collections.abc import Callable

from accounts.access import services
from accounts.access.models import Membership, Token
from accounts.evidence.models import Event
from accounts.identity import links
from accounts.identity.core import SYSTEM, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from tests.accounts import people
from tests.together import together


def at_once(*works: Callable[[], object]) -> list[str]:
    """Done, or the refusal's code of each, in order of the words."""
    return sorted(_told(outcome) for outcome in together(*works))


def _told(outcome: object) -> str:
    if isinstance(outcome, Exception) and not isinstance(outcome, Refusal):
        raise outcome
    return outcome.code if isinstance(outcome, Refusal) else "done"


def test_two_administrators_who_remove_each_other_leave_one(committed_db: object) -> None:
    for number in range(5):
        house = people.organisation(f"HOUSE{number}")
        people.person(house, email=f"a{number}@x.example")
        people.person(house, email=f"b{number}@x.example")
        first, second = Membership.objects.filter(organisation=house).order_by("id")
        outcomes = at_once(
            lambda first=first: services.remove_member(actor=SYSTEM, membership=first),
            lambda second=second: services.remove_member(actor=SYSTEM, membership=second),
        )
        assert outcomes == ["done", "last_administrator"]
        assert Membership.objects.filter(organisation=house).count() == 1


def test_a_link_used_twice_at_once_sets_one_password(committed_db: object) -> None:
    house = people.organisation()
    user = services.create_user(actor=SYSTEM, email="kim@x.example", organisation=house, role="viewer")
    token = links.sign(user)
    passwords = ["correct horse battery", "another strong password"]
    uses = [lambda word=word: services.accept_invitation(token=token, password=word) for word in passwords]
    assert at_once(*uses) == ["done", "link_is_void"]
    assert sum(User.objects.get().check_password(word) for word in passwords) == 1
    assert Event.objects.filter(verb="person.password_set").count() == 1


def test_a_person_invited_twice_at_once_is_one(committed_db: object) -> None:
    house = people.organisation()

    def invite() -> User:
        return services.create_user(actor=SYSTEM, email="Kim@x.example", organisation=house, role="viewer")

    assert at_once(invite, invite, invite) == ["done"] * 3
    assert User.objects.count() == 1
    assert Membership.objects.count() == 1
    assert Event.objects.filter(verb__in=["person.created", "membership.added"]).count() == 2


def test_an_organisation_made_twice_at_once_is_one(committed_db: object) -> None:
    assert at_once(people.organisation, people.organisation) == ["done", "done"]
    assert Organisation.objects.count() == 1


def test_a_token_revoked_twice_at_once_is_revoked_once(committed_db: object) -> None:
    token, _text = people.token(people.organisation())
    seen = [Token.objects.get(pk=token.pk) for _ in range(2)]
    uses = [lambda one=one: services.revoke_token(actor=SYSTEM, token=one) for one in seen]
    assert at_once(*uses) == ["done", "token_already_revoked"]
    assert Event.objects.filter(verb="token.revoked").count() == 1
