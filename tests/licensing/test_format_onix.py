"""ONIX messages: products to works, editions to one work, and XML that wants to do harm."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.models import Organisation
from licensing.intake import services as intake
from licensing.intake.core import Limits
from licensing.intake.formats import onix
from licensing.intake.formats.onix import Product
from licensing.intake.importing import ImportResult
from licensing.repertoire import services
from licensing.repertoire.models import Identifier, Work, WorkAlias
from tests.licensing.parties import organisation
from tests.licensing.repertoire_files import bring, counts, refused

ONE, TWO, THREE = "9780306406157", "9788932917245", "9788937460883"
SHORT = {
    "RecordReference": "a001", "NotificationType": "a002", "ProductIdentifier": "productidentifier", "ProductIDType": "b221",
    "IDValue": "b244", "DescriptiveDetail": "descriptivedetail", "ProductForm": "b012", "TitleDetail": "titledetail",
    "TitleType": "b202", "TitleElement": "titleelement", "TitleElementLevel": "x409", "TitleText": "b203",
    "TitlePrefix": "b030", "TitleWithoutPrefix": "b031", "Subtitle": "b029", "Contributor": "contributor",
    "SequenceNumber": "b034", "ContributorRole": "b035", "PersonName": "b036", "PersonNameInverted": "b037",
    "CorporateName": "b047", "Language": "language", "LanguageRole": "b253", "LanguageCode": "b252",
    "PublishingDetail": "publishingdetail", "PublishingDate": "publishingdate", "PublishingDateRole": "x448", "Date": "b306",
    "RelatedMaterial": "relatedmaterial", "RelatedWork": "relatedwork", "WorkRelationCode": "x454",
    "WorkIdentifier": "workidentifier", "WorkIDType": "b201", "IDTypeName": "b233", "Product": "product",
    "ONIXMessage": "ONIXmessage",
}  # fmt: skip


def product(
    isbn: str = ONE, title: str = "채식주의자", *, kind: str = "03", work: str = "", form: str = "BC", more: str = ""
) -> str:
    related = (
        "<RelatedMaterial><RelatedWork><WorkRelationCode>01</WorkRelationCode><WorkIdentifier><WorkIDType>01</WorkIDType>"
        f"<IDTypeName>House</IDTypeName><IDValue>{work}</IDValue></WorkIdentifier></RelatedWork></RelatedMaterial>"
    )
    return (
        f"<Product><RecordReference>r-{isbn}</RecordReference><NotificationType>{kind}</NotificationType>"
        f"<ProductIdentifier><ProductIDType>01</ProductIDType><IDValue>77</IDValue></ProductIdentifier>"
        f"<ProductIdentifier><ProductIDType>15</ProductIDType><IDValue>{isbn}</IDValue></ProductIdentifier>"
        f"<DescriptiveDetail><ProductForm>{form}</ProductForm><TitleDetail><TitleType>01</TitleType><TitleElement>"
        f"<TitleElementLevel>02</TitleElementLevel><TitleText>Series</TitleText></TitleElement><TitleElement>"
        f"<TitleElementLevel>01</TitleElementLevel><TitleText>{title}</TitleText><Subtitle>장편소설</Subtitle></TitleElement></TitleDetail>"
        "<Contributor><SequenceNumber>2</SequenceNumber><ContributorRole>B06</ContributorRole><PersonName>Smith</PersonName></Contributor>"
        "<Contributor><SequenceNumber>1</SequenceNumber><ContributorRole>A01</ContributorRole><PersonNameInverted>Han, Kang"
        "</PersonNameInverted></Contributor><Language><LanguageRole>01</LanguageRole><LanguageCode>kor</LanguageCode></Language>"
        "</DescriptiveDetail><PublishingDetail><PublishingDate><PublishingDateRole>01</PublishingDateRole><Date dateformat='00'>20071030"
        f"</Date></PublishingDate></PublishingDetail>{related if work else ''}{more}</Product>"
    )


def message(*products: str, short: bool = False, head: str = "", namespace: str = "", release: str = "3.0") -> bytes:
    space = f' xmlns="{namespace}"' if namespace else ""
    text = f'{head}<ONIXMessage release="{release}"{space}><Header><Sender><SenderName>House</SenderName></Sender></Header>'
    text += "".join(products) + "</ONIXMessage>"
    if short:
        for name, tag in SHORT.items():
            text = (
                text.replace(f"<{name}>", f"<{tag}>")
                .replace(f"</{name}>", f"</{tag}>")
                .replace(f"<{name} ", f"<{tag} ")
            )
    return text.encode()


def read(folder: Path, data: bytes) -> list[Product]:
    path = folder / "in.xml"
    path.write_bytes(data)
    return list(onix.read(path, Limits()))


def send(society: Organisation, data: bytes) -> ImportResult:
    stored = intake.keep(actor=SYSTEM, stream=io.BytesIO(data), name="books.xml", organisation=society)
    return services.import_onix(actor=SYSTEM, society=society, file=stored)


@pytest.fixture
def society(db: Any) -> Organisation:
    return organisation("KOLIT", "society")


@pytest.mark.parametrize(
    "options",
    [
        {}, {"short": True}, {"namespace": "http://ns.editeur.org/onix/3.0/reference"},
        {"short": True, "namespace": "http://ns.editeur.org/onix/3.1/short", "release": "3.1"},
        {"head": '<?xml version="1.0"?><!DOCTYPE ONIXMessage SYSTEM "http://127.0.0.1:9/none.dtd">'},
    ],
)  # fmt: skip
def test_reference_and_short_tags_say_the_same(tmp_path: Path, options: dict[str, Any]) -> None:
    [found] = read(tmp_path, message(product(), **options))
    assert (found.title, found.creators, found.language, found.published, found.kind, found.isbns, found.work) == (
        "채식주의자: 장편소설", "Kang Han", "ko", "2007-10-30", "book", (ONE,), f"ISBN-{ONE}",
    )  # fmt: skip
    assert [c.role for c in found.contributors] == ["A01", "B06"]


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr", "utf-16"])
def test_other_encodings_are_understood_said_or_not(tmp_path: Path, encoding: str) -> None:
    said = message(product()).decode()
    head = "" if encoding == "cp949" else f'<?xml version="1.0" encoding="{encoding}"?>'
    assert read(tmp_path, (head + said).encode(encoding))[0].title.startswith("채식주의자")


def test_a_place_of_thousands_of_digits_is_only_a_place(tmp_path: Path) -> None:
    data = message(product().replace("<SequenceNumber>2<", f"<SequenceNumber>{'9' * 5000}<"))
    assert [c.role for c in read(tmp_path, data)[0].contributors] == ["A01", "B06"]


def test_editions_of_one_work_are_one_work_with_their_isbns(society: Organisation) -> None:
    data = message(product(ONE, work="W7"), product(TWO, "The Vegetarian", work="W7"), product(THREE, "Other"))
    result = send(society, data)
    assert counts(result) == (3, 2, 0, 1, 0)
    work = Work.objects.get(title__startswith="채식")
    assert work.ref.startswith("ONIX-W7-")
    assert {i.value for i in work.identifiers.all()} == {ONE, TWO}
    assert [alias.title for alias in WorkAlias.objects.all()] == ["The Vegetarian: 장편소설"]
    assert counts(send(society, data)) == (3, 0, 0, 3, 0)


def test_a_book_that_the_society_has_gains_an_edition_and_keeps_its_title(society: Organisation) -> None:
    bring(society, "works", f"B-1,book,Vegetarian,isbn:{ONE}")
    assert counts(send(society, message(product(ONE, work="W7"), product(TWO, work="W7")))) == (2, 0, 1, 1, 0)
    work = Work.objects.get()
    assert (work.ref, work.title) == ("B-1", "Vegetarian")
    assert Identifier.objects.filter(work=work).count() == 2


def test_deletions_and_bad_products_are_reported_by_their_place(society: Organisation) -> None:
    bad = [
        product(kind="05"), product("9780306406158"), product(title="").replace("장편소설", ""), "<Product/>",
        product(TWO, form="VI"),
    ]  # fmt: skip
    result = send(society, message(*bad))
    assert counts(result) == (5, 2, 0, 0, 3)
    assert [(row, reason) for row, _column, reason in refused(result)] == [
        (1, onix.DELETION), (2, "wrong check digit"), (3, onix.NO_TITLE), (4, onix.NO_REFERENCE),
    ]  # fmt: skip
    assert Work.objects.get(kind="audiovisual").title.endswith("장편소설")


BOMB = "<!DOCTYPE ONIXMessage [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (message(product(title="&i;"), head=BOMB + "]>"), "entities"),
        (
            message(product(title="&x;"), head="<!DOCTYPE ONIXMessage [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"),
            "entities",
        ),
        (message(product(title="&eacute;")), "broken_xml"),
        (message(product())[:-20], "broken_xml"),
        (message(product()).replace(b"Series", b"Se\0ies"), "broken_xml"),
        (message(product(title="x" * 11_000_000)), "broken_xml"),
        (b'<ONIXMessage release="3.0">' + b"<a>" * 5000, "broken_xml"),
        (b"", "broken_xml"),
        (b"work_ref,kind\n", "broken_xml"),
        (b"<html/>", "not_onix"),
        (message(product(), release="2.1"), "onix_version"),
        (message(product()).replace(b' release="3.0"', b""), "onix_version"),
    ],
)
def test_what_is_no_sound_message_is_refused_as_a_whole(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, data)
    assert refusal.value.code == code


def test_a_giant_product_is_refused_alone(tmp_path: Path) -> None:
    large = product(more="<Note>" + "x" * 2_000_000 + "</Note>")
    many = product(more="<Notes>" + "<Note/>" * 30_000 + "</Notes>")
    assert [p.problem and p.problem[2] for p in read(tmp_path, message(large, many, product()))] == [
        onix.TOO_LARGE, onix.TOO_LARGE, None,
    ]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(st.integers(0, 1500), st.binary(max_size=10), st.integers(0, 30))
def test_damage_is_refused_or_reported_never_raised(tmp_path: Path, at: int, junk: bytes, cut: int) -> None:
    data, refused_as, found = message(product(), product(TWO)), "", []
    try:
        found = read(tmp_path, data[:at] + junk + data[at + cut :])
    except Refusal as refusal:
        refused_as = refusal.code
    assert refused_as in {"", "broken_xml", "not_onix", "onix_version", "entities", "damaged_archive"}
    assert len(found) <= 3
