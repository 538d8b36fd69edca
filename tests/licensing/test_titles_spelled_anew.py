"""A title that was reserved before titles were spelled as they are now is still reserved."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from licensing.matching.core import title_key
from licensing.permissions.models import Reservation
from tests.licensing.parties import organisation

pytestmark = pytest.mark.django_db
MIGRATION = "licensing.migrations.0031_titles_spelled_anew"


def test_a_reserved_title_is_spelled_as_declared_ones_are() -> None:
    society = organisation("PRESS", "society")
    for ref, value, title, creators in [
        ("R-1", "the sun also rises / hemingway, ernest", "The Sun Also Rises", "Hemingway, Ernest"),
        ("R-2", "a title / someone", "", ""),
    ]:
        Reservation.objects.create(
            ref=ref, society=society, target="identifier", scheme="title", value=value, title=title, creators=creators,
            uses=["*"], territory=["*"], status="unconfirmed", source="form",
        )  # fmt: skip
    importlib.import_module(MIGRATION).spell(apps, connection.schema_editor())
    assert list(Reservation.objects.order_by("ref").values_list("value", flat=True)) == [
        title_key("Sun also rises, The", "Ernest Hemingway"), title_key("A title", "Someone"),
    ]  # fmt: skip
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Reservation.objects.filter(ref="R-1").update(value="other")
