"""Imports of holders, works, shares and mandates: counted exactly, idempotent, and a bad row loses no good row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.evidence.models import Event
from accounts.identity.core import Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.intake import core as intake_core
from licensing.intake import importing
from licensing.intake.models import Import
from licensing.permissions.models import Mandate
from licensing.permissions.services import importing as mandates
from licensing.repertoire import core
from licensing.repertoire.identifiers import schemes
from licensing.repertoire.importing import holders, shares, works
from licensing.repertoire.models import Holder, Identifier, RepertoireRevision, Share, Work
from tests.licensing.parties import organisation, staff
from tests.licensing.repertoire_files import bring, counts, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("KOLIT", "society")


@pytest.fixture
def filled(society: Organisation) -> Organisation:
    bring(society, "holders", "A,Ada", "B,Bo", "C,Cy")
    bring(society, "works", "W1,book,One,isbn:9780306406157", "W2,book,Two,", "W3,web,Three,domain:example.com")
    return society


def state() -> Any:
    """Everything that an import may write, but for the imports themselves."""
    tables = (Holder, Work, Identifier, Share, Mandate, RepertoireRevision)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_holders(society: Organisation) -> None:
    header = "holder_ref,name,name_ko,kind,ipi,isni,email,country,tax_status"
    rows = ["A, Ada  Lovelace ,에이다,Person,14107338,0000 0001 2281 955X,a@b.kr,kr,kr_business", "B,Bo,,,,,,,"]
    assert counts(bring(society, "holders", *rows, header=header)) == (2, 2, 0, 0, 0)
    ada = Holder.objects.get(ref="A")
    assert (ada.name, ada.name_ko, ada.kind, ada.ipi, ada.isni) == (
        "Ada Lovelace", "에이다", "person", "00014107338", "000000012281955X",
    )  # fmt: skip
    assert (ada.country, ada.tax_status) == ("KR", "kr_business")
    before = state()
    assert counts(bring(society, "holders", *rows, header=header)) == (2, 0, 0, 2, 0)
    assert state() == before
    assert counts(bring(society, "holders", "A,Ada Byron", "C,Cy")) == (2, 1, 1, 0, 0)
    ada.refresh_from_db()
    assert (ada.name, ada.name_ko) == ("Ada Byron", "에이다"), "a column that the file lacks keeps its value"


def test_bad_holders_lose_no_good_ones(society: Organisation) -> None:
    header = "holder_ref,name,kind,ipi,email,country,tax_status"
    result = bring(
        society, "holders",
        "A,Ada,person,,,,", ",Nobody,,,,,", "C,,,,,,", "D,Di,robot,,,,", "E,Ed,,123456,,,", "F,Fa,,,no mail,,",
        "G,Gi,,,,XX,", "H,Ho,,,,,none", "I" * 65 + ",Ix,,,,,", "A,Ada,person,,,,", "A,Other,person,,,,", "Z,Zoe,,,,,", "short",
        header=header,
    )  # fmt: skip
    assert counts(result) == (13, 2, 0, 1, 10)
    assert refused(result) == [
        (3, "holder_ref", importing.MISSING),
        (4, "name", importing.MISSING),
        (5, "kind", holders.UNKNOWN_KIND),
        (6, "ipi", schemes.WRONG_CHECK_DIGIT),
        (7, "email", holders.NOT_AN_EMAIL),
        (8, "country", holders.UNKNOWN_COUNTRY),
        (9, "tax_status", holders.UNKNOWN_TAX_STATUS),
        (10, "holder_ref", importing.TOO_LONG),
        (12, "holder_ref", importing.CONTRADICTS),
        (14, "", intake_core.TOO_FEW),
    ]
    assert sorted(Holder.objects.values_list("ref", flat=True)) == ["A", "Z"]


def test_works_and_their_identifiers(society: Organisation) -> None:
    header = "work_ref,kind,title,creators,language,published,protected_until,identifiers"
    rows = [
        "W1,Book,One,Ada;Bo,en,1953,2049-01-01,isbn:0-306-40615-2;usco:R 59809",
        "W2,web,Two,,,,,url:HTTPS://Example.com/a#x; domain:EXAMPLE.com",
    ]
    assert counts(bring(society, "works", *rows, header=header)) == (2, 2, 0, 0, 0)
    one = Work.objects.get(ref="W1")
    assert (one.kind, one.creators, one.published, one.protected_until) == (
        "book",
        "Ada;Bo",
        "1953",
        dt.date(2049, 1, 1),
    )
    assert sorted(map(str, one.identifiers.all())) == ["isbn:9780306406157", "usco:R59809"]
    before = state()
    assert counts(bring(society, "works", *rows, header=header)) == (2, 0, 0, 2, 0)
    assert state() == before


def test_identifiers_are_replaced_as_the_file_states(filled: Organisation) -> None:
    result = bring(filled, "works", "W1,book,One,isbn:9780804429573", "W2,book,Two,isbn:9780306406157")
    assert counts(result) == (2, 0, 2, 0, 0)
    assert str(Identifier.objects.get(work__ref="W2")) == "isbn:9780306406157"
    assert counts(bring(filled, "works", "W1,book,Uno", header="work_ref,kind,title")) == (1, 0, 1, 0, 0)
    assert Identifier.objects.filter(work__ref="W1").exists(), "a file without identifiers leaves them alone"
    assert counts(bring(filled, "works", "W1,book,Uno,")) == (1, 0, 1, 0, 0)
    assert not Identifier.objects.filter(work__ref="W1").exists()


def test_an_identifier_names_one_work(filled: Organisation) -> None:
    result = bring(
        filled, "works",
        "W2,book,Two,isbn:9780306406157;isbn:9780804429573",
        "W4,book,Four,isbn:9780804429573;isbn:123;asin:B0;;isbn:978-0-13-468599-1",
    )  # fmt: skip
    assert counts(result) == (2, 1, 1, 0, 0)
    assert refused(result) == [
        (2, "identifiers", works.TAKEN),
        (3, "identifiers", schemes.UNKNOWN_SCHEME),
        (3, "identifiers", schemes.WRONG_FORM),
        (3, "identifiers", works.TWICE_IN_FILE),
    ]
    assert sorted(Identifier.objects.values_list("work__ref", "value")) == [
        ("W1", "9780306406157"), ("W2", "9780804429573"), ("W3", "example.com"), ("W4", "9780134685991"),
    ]  # fmt: skip
    other = organisation("OTHER", "society")
    assert counts(bring(other, "works", "W1,book,One,isbn:9780306406157")) == (1, 1, 0, 0, 0)


def test_bad_works(society: Organisation) -> None:
    header = "work_ref,kind,title,language,published,protected_until"
    result = bring(
        society, "works",
        "W1,book,One,ko,2026,", "W2,poem,Two,,,", "W3,book,,,,", "W4,book,Four,korean language,,", "W5,book,Five,,2026-13,",
        "W6,book,Six,,,2026-02-30", "W7,book,Seven,,,1/2/2026", f"W8,book,{'x' * 1001},,,", "W1,book,One,ko,2026,",
        header=header,
    )  # fmt: skip
    assert counts(result) == (9, 1, 0, 1, 7)
    assert refused(result) == [
        (3, "kind", works.UNKNOWN_KIND),
        (4, "title", importing.MISSING),
        (5, "language", works.NOT_A_LANGUAGE),
        (6, "published", works.NOT_A_PUBLICATION),
        (7, "protected_until", importing.NOT_A_DATE),
        (8, "protected_until", importing.NOT_A_DATE),
        (9, "title", importing.TOO_LONG),
    ]


def held() -> list[tuple[Any, ...]]:
    return list(
        Share.objects.order_by("work__ref", "holder__ref", "role", "valid").values_list(
            "work__ref", "holder__ref", "role", "ppm", "stated"
        )
    )


def test_shares(filled: Organisation) -> None:
    rows = ["W1,A,author,1/3,,", "W1,B,author,1/3,,", "W1,C,author,1/3,,", "W2,A,,33.33%,2026-01-01,2027-01-01"]
    assert counts(bring(filled, "shares", *rows)) == (4, 4, 0, 0, 0)
    assert held() == [
        ("W1", "A", "author", 333_334, "1/3"),
        ("W1", "B", "author", 333_333, "1/3"),
        ("W1", "C", "author", 333_333, "1/3"),
        ("W2", "A", "", 333_300, "33.33%"),
    ]
    assert Share.objects.get(work__ref="W2").valid.upper == dt.date(2027, 1, 1)
    before = state()
    assert counts(bring(filled, "shares", *rows, rows[0])) == (5, 0, 0, 5, 0)
    assert state() == before
    assert counts(bring(filled, "shares", "W2,A,,50%,2026-01-01,", "W2,B,,50%,,")) == (2, 1, 1, 0, 0)


def test_shares_do_not_depend_on_how_many_files_they_came_in(filled: Organisation) -> None:
    rows = ["W1,C,,1/3,,", "W1,A,,1/3,,", "W1,B,,1/3,,"]
    for row in rows:
        assert counts(bring(filled, "shares", row)) == (1, 1, 0, 0, 0)
    apart = [(s[1], s[3]) for s in held()]
    other = organisation("OTHER", "society")
    bring(other, "holders", "A,Ada", "B,Bo", "C,Cy")
    bring(other, "works", "W9,book,Nine,")
    bring(other, "shares", *(row.replace("W1", "W9") for row in rows))
    assert apart == [(s[1], s[3]) for s in held() if s[0] == "W9"] == [("A", 333_334), ("B", 333_333), ("C", 333_333)]


def test_bad_shares(filled: Organisation) -> None:
    bring(filled, "shares", "W3,A,,1/2,2026-01-01,")
    result = bring(
        filled, "shares",
        "W1,A,,1/2,,", "W9,A,,1/2,,", "W1,Z,,1/2,,", "W1,B,,half,,", "W1,B,,3/2,,", "W1,B,,1/2,2026-01-01,2026-01-01",
        "W1,B,,1/2,2026-1-1,", "W3,A,,1/2,2027-01-01,", "W1,A,,1/4,,", "W2,A,,1/2,2026-01-01,2027-01-01", "W2,A,,1/2,2026-06-01,",
        "W2,A,,1/2,2027-01-01,",
    )  # fmt: skip
    assert counts(result) == (12, 3, 0, 0, 9)
    assert refused(result) == [
        (3, "work_ref", shares.UNKNOWN_WORK),
        (4, "holder_ref", shares.UNKNOWN_HOLDER),
        (5, "share", core.NOT_A_SHARE),
        (6, "share", core.OUT_OF_RANGE),
        (7, "valid_to", importing.EMPTY_TERM),
        (8, "valid_from", importing.NOT_A_DATE),
        (9, "holder_ref", core.OVERLAPS),
        (10, "holder_ref", core.CONTRADICTS),
        (12, "holder_ref", core.OVERLAPS),
    ]


def test_the_database_refuses_overlapping_shares(filled: Organisation) -> None:
    bring(filled, "shares", "W1,A,author,1/2,2026-01-01,2027-01-01")
    statement = (
        "INSERT INTO licensing_share (work_id, holder_id, role, ppm, stated, valid) SELECT work_id, holder_id, %s, 1, '', "
        "%s::daterange FROM licensing_share"
    )
    with connection.cursor() as cursor:
        with pytest.raises(IntegrityError, match="share_is_held_once_a_day_in_a_role"), transaction.atomic():
            cursor.execute(statement, ["author", "[2026-12-31,)"])
        with transaction.atomic():
            cursor.execute(statement, ["author", "[2027-01-01,)"])
        cursor.execute("DELETE FROM licensing_share WHERE lower(valid) = '2027-01-01'")
        cursor.execute(statement, ["composer", "[2026-12-31,)"])


def test_mandates(filled: Organisation) -> None:
    rows = ["A,train;ground,Book,kr,2026-01-01,", "A,ground;TRAIN,web,*,2026-01-01,", "B,*,,,2026-01-01,2027-01-01"]
    assert counts(bring(filled, "mandates", *rows)) == (3, 3, 0, 0, 0)
    first = Mandate.objects.get(holder__ref="A", kinds=["book"])
    assert (first.uses, first.territory, first.society_id) == (["ground", "train"], ["KR"], filled.pk)
    assert Mandate.objects.get(holder__ref="B").kinds == ["*"]
    before = state()
    assert counts(bring(filled, "mandates", *rows)) == (3, 0, 0, 3, 0)
    assert state() == before
    assert counts(bring(filled, "mandates", "B,*,,,2026-01-01,2028-01-01", "B,*,,,2028-01-01,")) == (2, 1, 1, 0, 0)
    shortened = bring(filled, "mandates", "A,train,book,KR,2027-01-01,", "A,train;ground,book,KR,2026-01-01,2027-01-01")
    assert counts(shortened) == (2, 1, 1, 0, 0)


def test_bad_mandates(filled: Organisation) -> None:
    bring(filled, "mandates", "A,train,*,*,2026-01-01,2027-01-01", "A,train,*,*,2028-01-01,")
    result = bring(
        filled, "mandates",
        "Z,train,,,2026-01-01,", "A,teach,,,2026-01-01,", "A,,,,2026-01-01,", "A,train,poem,,2026-01-01,", "A,train,,ZZZ,2026-01-01,",
        "A,train,,,,", "A,train,,,2026-01-01,2025-01-01", "A,*,book,KR,2026-06-01,", "A,train,,,2026-01-01,2028-01-02",
        "C,train,book,*,2026-01-01,", "C,*,book;web,KR,2026-01-01,", "C,train,web,KR,2026-01-01,", "C,train,web,KR,2026-01-01,2027-01-01",
    )  # fmt: skip
    assert counts(result) == (13, 2, 0, 0, 11)
    assert refused(result) == [
        (2, "holder_ref", shares.UNKNOWN_HOLDER),
        (3, "uses", mandates.UNKNOWN_USE),
        (4, "uses", importing.MISSING),
        (5, "kinds", mandates.UNKNOWN_KIND),
        (6, "territory", mandates.UNKNOWN_TERRITORY),
        (7, "valid_from", importing.MISSING),
        (8, "valid_to", importing.EMPTY_TERM),
        (9, "uses", mandates.OVERLAPS),
        (10, "uses", mandates.OVERLAPS),
        (12, "uses", mandates.EARLIER_ROW),
        (14, "holder_ref", importing.CONTRADICTS),
    ]


@pytest.mark.parametrize(
    ("uses", "kinds", "territory", "valid", "meets"),
    [
        ("{train}", "{book}", "{KR}", "[2026-06-01,)", True),
        ("{ground,train}", "{*}", "{*}", "[2026-06-01,)", True),
        ("{ground}", "{book}", "{KR}", "[2026-06-01,)", False),
        ("{train}", "{web}", "{KR}", "[2026-06-01,)", False),
        ("{train}", "{book}", "{JP}", "[2026-06-01,)", False),
        ("{train}", "{book}", "{KR}", "[2027-01-01,)", False),
    ],
)
def test_the_database_refuses_mandates_that_meet(
    filled: Organisation, uses: str, kinds: str, territory: str, valid: str, meets: bool
) -> None:
    bring(filled, "mandates", "A,train,book,KR,2026-01-01,2027-01-01")
    statement = (
        "INSERT INTO licensing_mandate (society_id, holder_id, uses, kinds, territory, valid) "
        "SELECT society_id, holder_id, %s, %s, %s, %s::daterange FROM licensing_mandate"
    )

    def insert() -> None:
        with connection.cursor() as cursor, transaction.atomic():
            cursor.execute(statement, [uses, kinds, territory, valid])

    if meets:
        with pytest.raises(IntegrityError, match="mandate_covers_a_use_once_a_day"):
            insert()
    else:
        insert()


def test_an_import_leaves_its_record_and_evidence_of_change_alone(society: Organisation) -> None:
    bring(society, "holders", "A,Ada", ",x")
    made = Import.objects.get()
    assert (made.kind, made.read, made.created, made.rejected) == ("holders", 2, 1, 1)
    assert made.rejects == [{"row": 3, "column": "holder_ref", "value": "", "reason": importing.MISSING}]
    assert Event.objects.filter(verb="holders.imported").count() == 1
    bring(society, "holders", "A,Ada")
    assert Import.objects.count() == 2
    assert Event.objects.filter(verb="holders.imported").count() == 1


def test_only_the_society_s_own_people_import(society: Organisation) -> None:
    other = organisation("OTHER", "society")
    with pytest.raises(NotFound):
        bring(society, "holders", "A,Ada", actor=staff(other, "works.import"))
    with pytest.raises(Forbidden):
        bring(society, "holders", "A,Ada", actor=staff(society, "declarations.view"))
    with pytest.raises(Forbidden):
        bring(society, "mandates", "A,*,,,2026-01-01,", actor=staff(society, "works.import"))
    with pytest.raises(Refusal):
        bring(organisation("FIRM", "licensee"), "holders", "A,Ada")
    assert not Holder.objects.exists()
    assert counts(bring(society, "holders", "A,Ada", actor=staff(society, "works.import"))) == (1, 1, 0, 0, 0)


def test_many_rejects_are_counted_and_the_first_thousand_kept(society: Organisation) -> None:
    result = bring(society, "holders", *(f",n{i}" for i in range(1500)), "A,Ada")
    assert counts(result) == (1501, 1, 0, 0, 1500)
    assert len(result.rejects) == 1000


def test_a_file_that_is_none_changes_nothing(society: Organisation) -> None:
    for header in ("name", "holder_ref,name,name"):
        with pytest.raises(Refusal):
            bring(society, "holders", "A,Ada", header=header)
    assert not Import.objects.exists()
