"""From a person or a token to the `Actor` that is passed down: what they are members of and whom they represent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.access.core import CAPACITY, permissions_of, representation_permissions, scopes_for
from accounts.access.models import Membership, Role, Token
from accounts.identity.core import NOBODY, SYSTEM, Actor, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Representation


@dataclass(frozen=True, slots=True)
class Capacity:
    """One way in which a person may act: for an organisation, or for holders whom they represent with the same rights.

    Holders represented in a narrower scope are a capacity of their own, so that a delegate for one holder's catalogue
    never sees that holder's money because they are a member themself.
    """

    key: str
    label: str
    organisation: Organisation | None = None
    roles: frozenset[str] = frozenset()
    holder_ids: frozenset[int] = frozenset()
    permissions: frozenset[str] = frozenset()

    @property
    def role_names(self) -> list[str]:
        """The roles as people read them."""
        names = {choice.value: str(choice.label) for choice in [*Role, *Representation.Scope]}
        return sorted(names.get(role, role) for role in self.roles)


_NONE = Capacity("", "")


def capacities_of(user: User) -> list[Capacity]:
    """Everything that a person may act as, organisations first, each in the order of joining."""
    return [*_as_staff(user), *_as_creator(user)]


def _as_staff(user: User) -> list[Capacity]:
    roles: dict[Organisation, set[str]] = {}
    for membership in Membership.objects.filter(user=user).select_related("organisation").order_by("id"):
        roles.setdefault(membership.organisation, set()).add(membership.role)
    return [
        Capacity(
            key=f"organisation:{organisation.pk}", label=str(organisation), organisation=organisation,
            roles=frozenset(held), permissions=permissions_of(organisation.kind, held),
        )
        for organisation, held in roles.items()
    ]  # fmt: skip


def _as_creator(user: User) -> list[Capacity]:
    groups: dict[str, tuple[set[int], set[str]]] = {}
    for representation in Representation.objects.filter(user=user).order_by("id"):
        key = "creator" if representation.scope in ("member", "full") else f"creator:{representation.scope}"
        holders, scopes = groups.setdefault(key, (set(), set()))
        holders.add(representation.holder_id)
        scopes.add(representation.scope)
    labels = {
        "creator": _("Rights holder"),
        "creator:finance": _("Finance delegate"),
        "creator:catalogue": _("Catalogue delegate"),
    }
    return [
        Capacity(
            key=key, label=labels.get(key, key), roles=frozenset(scopes), holder_ids=frozenset(holders),
            permissions=representation_permissions(scopes),
        )
        for key, (holders, scopes) in sorted(groups.items())
    ]  # fmt: skip


def actor_of_user(user: User, organisation_id: int | None = None) -> Actor:
    """A person as an actor: in the given organisation, else in the first capacity that they have.

    Raises Forbidden where they are no member of that organisation. A person without any capacity may see public
    things only.
    """
    known = capacities_of(user)
    if organisation_id is None:
        return actor_in(user, known[0] if known else _NONE)
    chosen = _first(known, f"organisation:{organisation_id}")
    if chosen is None:
        raise Forbidden(_("%(person)s is no member of that organisation.") % {"person": user})
    return actor_in(user, chosen)


def actor_in(user: User, capacity: Capacity) -> Actor:
    """This person in this capacity of theirs."""
    organisation = capacity.organisation
    return Actor(
        kind="user", id=user.pk, label=str(user), user_id=user.pk,
        organisation_id=organisation.pk if organisation else None,
        organisation_kind=organisation.kind if organisation else None,
        roles=capacity.roles, permissions=capacity.permissions, holder_ids=capacity.holder_ids,
    )  # fmt: skip


def _first(known: Sequence[Capacity], key: str) -> Capacity | None:
    return next((capacity for capacity in known if capacity.key == key), None)


def actor_of_token(token: Token) -> Actor:
    """A program as an actor: what its scopes name, within what its owner may do today."""
    scopes, organisation = frozenset(token.scopes), token.organisation
    label = token.name or str(token)
    if organisation is not None:
        return Actor(
            kind="token", id=token.pk, label=label,
            organisation_id=organisation.pk, organisation_kind=organisation.kind,
            permissions=scopes & scopes_for(organisation.kind), sandbox=token.sandbox,
        )  # fmt: skip
    assert token.user is not None  # a constraint: one of the two owns it
    owner = _first(_as_creator(token.user), "creator") or _NONE
    return Actor(
        kind="token", id=token.pk, label=label, user_id=token.user.pk,
        permissions=scopes & owner.permissions, holder_ids=owner.holder_ids, sandbox=token.sandbox,
    )  # fmt: skip


def actor_by_email(email: str, organisation: Organisation | None = None) -> Actor:
    """For a command's `--as`: the person with this address, acting for that organisation where one is given."""
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        raise NotFound(
            _("Nobody has the e-mail address “%(email)s”. Create the person with create_user first.") % {"email": email}
        )
    return actor_of_user(user, organisation.pk if organisation else None)


def two_people(email: str | None, approve_as: str | None, organisation: Organisation) -> tuple[Actor, Actor | None]:
    """For a command's `--as` and `--approve-as`: who asks and who decides, both known and two persons.

    Checked before anything is done: a request left behind by a refused command would bar its requester from deciding.
    """
    if approve_as and not email:
        raise Refusal("second_person_needed", _("--approve-as needs another person in --as."), pointer="/as")
    actor = actor_by_email(email, organisation) if email else SYSTEM
    approver = actor_by_email(approve_as, organisation) if approve_as else None
    if approver and approver.user_id == actor.user_id:
        raise Refusal("second_person_needed", _("--approve-as needs another person in --as."), pointer="/as")
    return actor, approver


class ActorMiddleware:
    """Sets `request.actor`, `request.capacities` and the `request.capacity` that the person switched to.

    Each is worked out when it is first looked at: a page that asks for nobody costs no query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.capacities = SimpleLazyObject(lambda: capacities_of(request.user) if _is_known(request.user) else [])
        request.capacity = SimpleLazyObject(lambda: _chosen(request.capacities, request.session.get(CAPACITY)))
        request.actor = SimpleLazyObject(
            lambda: actor_in(request.user, request.capacity) if _is_known(request.user) else NOBODY
        )
        return self.get_response(request)


def _is_known(user: User | AnonymousUser) -> bool:
    return isinstance(user, User) and user.is_active


def _chosen(known: Sequence[Capacity], key: str | None) -> Capacity:
    """What the session names, as long as the person still has it; else their first."""
    return (_first(known, key) if key else None) or (known[0] if known else _NONE)
