"""PostgreSQL itself refuses what the services never do: loose references, and changes after submission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from licensing.declarations.models import Declaration, DeclaredUse
from licensing.repertoire.models import Work
from tests.licensing.declaring import ISBN, declare, firm, lines

pytestmark = pytest.mark.django_db
DATA = lines(f"isbn,{ISBN},1000", "domain,a.example.com,5")


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def refused(change: Callable[[], Any], message: str) -> None:
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        change()


@pytest.fixture
def made(db: Any) -> Declaration:
    return declare(firm(), DATA)


def test_a_declared_use_names_a_declaration_and_a_work_that_exist(made: Declaration) -> None:
    use = DeclaredUse.objects.get(work__isnull=False)
    refused(
        lambda: sql("UPDATE licensing_declareduse SET work_id = 999999 WHERE id = %s", use.pk),
        "a work that does not exist",
    )
    refused(
        lambda: sql("UPDATE licensing_declareduse SET declaration_id = 999999 WHERE id = %s", use.pk),
        "a declaration that does not exist",
    )
    refused(
        lambda: DeclaredUse.objects.create(
            declaration_id=999999, scheme="isbn", value="1", kind="book", use="train", unit="token",
            used_on=use.used_on, status="unmatched", units=1, lines=1,
        ),
        "a declaration that does not exist",
    )  # fmt: skip


def test_a_work_or_declaration_stays_while_uses_name_it(made: Declaration) -> None:
    work = Work.objects.get(ref="B")
    refused(
        lambda: (
            sql("DELETE FROM licensing_identifier WHERE work_id = %s", work.pk)
            or sql("DELETE FROM licensing_share WHERE work_id = %s", work.pk)
            or sql("DELETE FROM licensing_work WHERE id = %s", work.pk)
        ),
        "Declared uses name this work",
    )
    refused(
        lambda: (
            sql("DELETE FROM licensing_declarationfile WHERE declaration_id = %s", made.pk)
            or sql("DELETE FROM licensing_declaration WHERE id = %s", made.pk)
        ),
        "Declared uses name this declaration",
    )


def test_a_use_is_one_row(made: Declaration) -> None:
    columns = "declaration_id, work_id, scheme, value, kind, use, unit, used_on, status, basis, units, lines"
    copy = f"INSERT INTO licensing_declareduse ({columns}) SELECT {columns} FROM licensing_declareduse"
    refused(lambda: sql(copy), "declared_use_is_one_row")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE licensing_declareduse SET units = units + 1",
        "DELETE FROM licensing_declareduse",
        "INSERT INTO licensing_declareduse (declaration_id, scheme, value, kind, use, unit, used_on, status, basis, units, lines)"
        " SELECT id, 'isbn', 'x', 'book', 'train', 'token', lower(period), 'unmatched', '', 1, 1 FROM licensing_declaration",
        "UPDATE licensing_declaration SET units = '{}'",
        "UPDATE licensing_declaration SET sha256 = ''",
        "UPDATE licensing_declaration SET submitted_at = NULL",
        "UPDATE licensing_declaration SET sandbox = true",
        "DELETE FROM licensing_declarationfile; DELETE FROM licensing_declaration",
    ],
)
def test_after_submission_nothing_of_it_changes(db: Any, change: str) -> None:
    made = declare(firm(), DATA, submit=True)
    before = list(DeclaredUse.objects.values()), Declaration.objects.values().get()
    refused(lambda: sql(change), "immutable")
    assert (list(DeclaredUse.objects.values()), Declaration.objects.values().get()) == before
    assert made.status == "accepted"
