"""Who may call what: every operation of the API, allowed and denied; found in the URLconf, so that none is left out."""

from __future__ import annotations

import base64
from copy import deepcopy
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.access import services
from accounts.access.api.views import ANYONE, SIGNED_IN
from accounts.access.core import PEOPLE_ONLY, PERMISSIONS, REPRESENTATIONS, ROLES, permissions_of, scopes_for
from accounts.access.models import Token
from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from tests.accounts import people
from tests.config.api_matrix import Operation, operations

pytestmark = pytest.mark.django_db
KINDS = ("society", "licensee", "rate_body")
OPERATIONS = operations()


def _named(operation: Operation) -> str:
    return f"{operation.method} {operation.route}"


def _kinds_with(permission: str) -> list[str]:
    return [kind for kind in KINDS if permission in permissions_of(kind, ROLES[kind])]


@pytest.fixture(autouse=True)
def _no_limit() -> None:
    cache.clear()


@pytest.fixture(scope="module")
def organisations(module_db: Any) -> dict[str, Organisation]:
    with module_db():
        return {kind: people.organisation(kind.upper(), kind) for kind in KINDS}


@pytest.fixture(scope="module")
def signed_in(organisations: dict[str, Organisation], module_db: Any) -> dict[tuple[str, str], SimpleCookie]:
    """The cookies of somebody with each role in each kind of organisation."""
    found = {}
    with module_db():
        for kind, roles in ROLES.items():
            for role in roles:
                client = Client()
                client.force_login(people.person(organisations[kind], role))
                found[kind, role] = client.cookies
    return found


def _call(operation: Operation, **headers: str) -> Any:
    client = Client(raise_request_exception=False, headers=headers)
    options: dict[str, Any] = {} if operation.method == "GET" else {"data": "{}", "content_type": "application/json"}
    return getattr(client, operation.method.lower())(operation.address, **options)


def _with_token(operation: Operation, organisation: Organisation, scopes: list[str]) -> Any:
    token, text = people.token(organisation)
    Token.objects.filter(pk=token.pk).update(scopes=scopes)
    return _call(operation, Authorization=f"Bearer {text}")


def test_there_is_an_api() -> None:
    assert len(OPERATIONS) > 3
    assert len({(operation.route, operation.method) for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=_named)
def test_each_operation_names_its_permission(operation: Operation) -> None:
    assert operation.permission in PERMISSIONS | {ANYONE, SIGNED_IN}, f"{operation.view}.required_permission"


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.permission != ANYONE], ids=_named)
def test_a_stranger_gets_401(operation: Operation) -> None:
    response = _call(operation)
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.permission == ANYONE], ids=_named)
def test_what_is_public_needs_no_sign_in(operation: Operation) -> None:
    assert _call(operation).status_code in (200, 400, 404)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.permission in PERMISSIONS], ids=_named)
def test_every_other_scope_together_is_not_enough(operation: Operation, organisations: dict[str, Organisation]) -> None:
    for kind in ("society", "licensee"):  # a rate body has nothing that a program may do
        others = sorted(scopes_for(kind) - {operation.permission})
        assert _with_token(operation, organisations[kind], others).status_code == 403, kind


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.permission in PERMISSIONS - PEOPLE_ONLY], ids=_named)
def test_the_scope_alone_is_enough(operation: Operation, organisations: dict[str, Organisation]) -> None:
    """The door opens; what lies behind is then absent (404) or asked for wrongly (400, 409, 415)."""
    permission = operation.permission or ""
    kinds = _kinds_with(permission)
    assert kinds or any(permission in held for held in REPRESENTATIONS.values())
    for kind in kinds:
        response = _with_token(operation, organisations[kind], [permission])
        assert response.status_code in (200, 201, 202, 204, 400, 404, 409, 415), (kind, response.content)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.permission in PERMISSIONS], ids=_named)
def test_roles_open_exactly_the_doors_of_their_permissions(
    operation: Operation, signed_in: dict[tuple[str, str], SimpleCookie]
) -> None:
    for kind, roles in ROLES.items():
        for role, permissions in roles.items():
            client = Client(raise_request_exception=False)
            client.cookies = deepcopy(signed_in[kind, role])
            options: dict[str, Any] = (
                {} if operation.method == "GET" else {"data": "{}", "content_type": "application/json"}
            )
            status = getattr(client, operation.method.lower())(operation.address, **options).status_code
            assert (status == 403) == (operation.permission not in permissions), (kind, role, status)
            assert status < 500


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.permission == SIGNED_IN], ids=_named)
def test_anyone_whom_we_know_may(operation: Operation, organisations: dict[str, Organisation]) -> None:
    token = services.issue_token(actor=SYSTEM, organisation=organisations["licensee"], scopes="declarations.view")[1]
    assert _call(operation, Authorization=f"Bearer {token}").status_code in (200, 400, 404, 409, 415)


CURSORS = (b"p=abc", b"p=a%00b", b"r=1&p=x&o=5", b"o=99999999999999999999", b"p=" + b"9" * 26, b"\xff")


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_forged_cursor_is_no_place(cursor: bytes, organisations: dict[str, Organisation]) -> None:
    text = people.token(organisations["society"])[1]
    client = Client(headers={"Authorization": f"Bearer {text}"})
    for operation in OPERATIONS:
        if operation.method == "GET" and "<" not in operation.route:
            answer = client.get(operation.address, {"cursor": base64.b64encode(cursor).decode()})
            assert answer.status_code in (200, 403, 404), operation.route
