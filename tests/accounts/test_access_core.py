"""Roles and permissions, as a matrix that a person can read against the domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.access import core
from accounts.identity.core import Refusal

# permission → who holds it: society roles, then licensee:role, rate_body:role; none: holders and who acts for them
MATRIX = {
    "organisation.manage": "administrator licensee:administrator rate_body:administrator",
    "members.manage": "administrator licensee:administrator rate_body:administrator",
    "tokens.manage": "administrator licensee:administrator rate_body:administrator",
    "approvals.decide": "administrator licensing distribution finance licensee:administrator rate_body:administrator",
    "evidence.view": "administrator auditor licensee:administrator rate_body:administrator",
    "webhooks.manage": "administrator licensee:administrator",
    "works.import": "administrator repertoire",
    "works.register": "",
    "mandates.manage": "administrator repertoire",
    "mandates.sign": "",
    "membership.manage": "administrator repertoire",
    "reservations.make": "",
    "reservations.manage": "administrator licensing repertoire",
    "sites.manage": "administrator repertoire",
    "cases.manage": "administrator licensing",
    "cases.view": "administrator licensing repertoire distribution finance auditor"
    " licensee:administrator licensee:declarant licensee:finance",
    "cases.answer": "licensee:administrator licensee:declarant",
    "tariffs.manage": "administrator licensing",
    "tariffs.determine": "rate_body:administrator",
    "licences.manage": "administrator licensing",
    "licences.request": "licensee:administrator",
    "licences.sign": "administrator licensing licensee:administrator",
    "declarations.declare": "licensee:administrator licensee:declarant",
    "declarations.view": "administrator licensing repertoire distribution finance auditor"
    " licensee:administrator licensee:declarant licensee:finance licensee:viewer",
    "declarations.review": "administrator licensing",
    "permissions.check": "administrator licensing repertoire licensee:administrator licensee:declarant",
    "billing.manage": "administrator finance",
    "billing.view": "administrator licensing distribution finance auditor licensee:administrator licensee:finance",
    "distribution.compute": "administrator distribution",
    "distribution.approve": "administrator distribution finance",
    "distribution.view": "administrator distribution finance auditor",
    "statements.view": "administrator repertoire distribution finance auditor",
    "ledger.view": "administrator distribution finance auditor",
    "ledger.close": "administrator finance",
    "payees.manage": "administrator finance",
    "payees.view": "administrator finance",
    "payees.own": "",
    "payouts.prepare": "administrator finance",
    "payouts.approve": "administrator finance",
    "payouts.view": "administrator distribution finance auditor",
}
EVERY_ROLE = [(kind, role) for kind, roles in core.ROLES.items() for role in roles]


def test_the_matrix_names_every_permission() -> None:
    assert set(MATRIX) == core.PERMISSIONS


@pytest.mark.parametrize("kind,role", EVERY_ROLE)
def test_each_role_holds_exactly_what_the_matrix_says(kind: str, role: str) -> None:
    name = role if kind == "society" else f"{kind}:{role}"
    assert core.permissions_of(kind, [role]) == {
        permission for permission, who in MATRIX.items() if name in who.split()
    }


def test_a_society_never_determines_its_own_tariffs() -> None:
    for role in core.roles_of("society"):
        assert "tariffs.determine" not in core.permissions_of("society", [role])


@pytest.mark.parametrize("role", ["auditor", "viewer"])
def test_those_who_only_look_change_nothing(role: str) -> None:
    kind = "society" if role == "auditor" else "licensee"
    assert all(permission.endswith(".view") for permission in core.permissions_of(kind, [role]))


def test_roles_add_up() -> None:
    both = core.permissions_of("society", ["licensing", "finance"])
    assert both == core.permissions_of("society", ["licensing"]) | core.permissions_of("society", ["finance"])


def test_a_role_of_another_kind_gives_nothing() -> None:
    assert core.permissions_of("licensee", ["distribution"]) == frozenset()
    assert core.permissions_of("nonsense", ["administrator"]) == frozenset()


def test_a_catalogue_delegate_sees_no_money() -> None:
    catalogue = core.representation_permissions(["catalogue"])
    assert catalogue == {"works.register", "reservations.make", "sites.manage", "cases.view"}
    assert core.representation_permissions(["member"]) == catalogue | {"statements.view", "mandates.sign", "payees.own"}
    assert core.representation_permissions(["finance"]) == {"statements.view", "payees.own"}


@pytest.mark.parametrize("kind", ["society", "licensee", "rate_body", None])
def test_no_token_carries_what_needs_a_person(kind: str | None) -> None:
    assert not core.scopes_for(kind) & core.PEOPLE_ONLY


LICENSEE = core.scopes_for("licensee")


@pytest.mark.parametrize(
    "asked,granted",
    [
        ("declarations.declare", {"declarations.declare"}),
        ("declarations", {"declarations.declare", "declarations.view"}),
        ("declarations.*", {"declarations.declare", "declarations.view"}),
        ("declarations.view; permissions.check", {"declarations.view", "permissions.check"}),
        ("declarations.view,billing.view", {"declarations.view", "billing.view"}),
        ("*", LICENSEE),
        (["billing.view"], {"billing.view"}),
    ],
)
def test_scopes_as_people_write_them(asked: str | list[str], granted: set[str]) -> None:
    assert set(core.parse_scopes(asked, LICENSEE)) == granted


@pytest.mark.parametrize(
    "asked", ["", " ; ", "distribution.approve", "declare", "members.manage", "declarations.view x"]
)
def test_scopes_that_are_not_available_are_refused(asked: str) -> None:
    with pytest.raises(Refusal, match=r"Available: billing\.view"):
        core.parse_scopes(asked, LICENSEE)


@given(st.lists(st.sampled_from(sorted(core.PERMISSIONS)), min_size=1))
def test_parsed_scopes_never_exceed_what_is_available(asked: list[str]) -> None:
    try:
        assert set(core.parse_scopes(asked, LICENSEE)) <= LICENSEE
    except Refusal:
        assert not set(asked) <= LICENSEE
