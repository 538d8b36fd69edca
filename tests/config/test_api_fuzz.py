"""Every operation of the API under generated requests, held to its own description: never a 5xx, never another shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.access import services
from accounts.access.core import scopes_for
from accounts.access.models import Token
from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from config.wsgi import application
from licensing.intake import tus
from licensing.repertoire.models import Holder, Representation
from licensing.tariffs.examples import read
from tests.accounts import people
from tests.licensing.parties import determined

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """As Django's own test client: the end of a request does not end the test's connection and so its transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def tokens(issued: list[str], db: None, _one_connection: None) -> list[str]:
    cache.clear()
    return issued


@pytest.fixture(scope="module")
def issued(module_db: Any) -> list[str]:
    """A society's and a licensee's, with every scope that it may carry, and a creator's."""
    with module_db():
        return _issued()


def _issued() -> list[str]:
    made = []
    for kind in ("society", "licensee"):
        token, text = people.token(people.organisation(kind.upper(), kind))
        Token.objects.filter(pk=token.pk).update(scopes=sorted(scopes_for(kind)))
        made.append(text)
    society = people.organisation("SOCIETY", "society")
    creator = services.create_person(actor=SYSTEM, email="kim@kim.example")[0]
    holder = Holder.objects.create(society=society, ref="H1", name="Kim")
    Representation.objects.create(user=creator, holder=holder)
    made.append(services.issue_token(actor=SYSTEM, user=creator, scopes="*")[1])
    return made


@schemathesis.serializer(tus.MEDIA_TYPE)
def _part_of_a_file(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
schema.app = application
schema.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def there(issued: list[str], module_db: Any) -> dict[str, str]:
    """Where something lies that generated requests would hardly hit upon: an address with its real parameter."""
    with module_db():
        version = determined(Organisation.objects.get(ref="SOCIETY"), read("greatest-of-revenue-and-subscribers"))
    return {"/api/v1/tariffs/{id}/price/": str(version.tariff_id)}


@schema.parametrize()
@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_whatever_is_asked_is_answered_as_described(
    case: Any, tokens: list[str], there: dict[str, str], settings: Any
) -> None:
    settings.API_RATE = 1_000_000
    for token in tokens:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}", "Host": "localhost"}, checks=CHECKS)
    if case.path in there:
        case.path_parameters["id"] = there[case.path]
        case.call_and_validate(headers={"Authorization": f"Bearer {tokens[0]}", "Host": "localhost"}, checks=CHECKS)
