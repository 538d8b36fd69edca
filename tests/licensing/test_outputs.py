"""What is reserved is written in the formats that machines read, served publicly, and read back as the same reservation."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.identity.core import SYSTEM, NotFound
from accounts.organisations.models import Organisation
from licensing.permissions.core.statements import reserved_by
from licensing.permissions.models import Reservation
from licensing.permissions.services import outputs, reservations, subjects
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Identifier, Share, Work
from licensing.signals import cawg, content_usage, markup, readers, robots, rsl, tdmai, tdmrep, vocabulary
from licensing.signals.core import Signal, strictest
from licensing.terms import USES
from tests.licensing.parties import determined, organisation
from tests.licensing.site_web import proved

pytestmark = pytest.mark.django_db
ISCC = "KACT4EBWK27737D2"
SOME = [["train"], ["index", "ground"], ["evaluate"], ["*"]]


@pytest.fixture
def society() -> Organisation:
    return organisation("KOLAA", "society")


@pytest.fixture
def holder(society: Organisation) -> Holder:
    return Holder.objects.create(society=society, ref="H-1", name="Kim Secret")


@pytest.fixture
def work(society: Organisation, holder: Holder) -> Work:
    work = Work.objects.create(society=society, ref="W/1", kind="book", title="Poems")
    Share.objects.create(work=work, holder=holder, ppm=1_000_000, valid=("2020-01-01", None))
    return work


def _reserve(society: Organisation, target: Target, uses: list[str], **more: Any) -> Reservation:
    who = Claimant(name="Somebody Private", email="private@example.org")
    return reservations.reserve(
        actor=SYSTEM, society=society, target=target, uses=uses, source="staff", claimant=who, proved=True, **more
    )


def _body(subject: subjects.Subject, form: str) -> bytes:
    return outputs.document(subject, form).body


def _everywhere(signal: Signal | None, path: str = "/any/thing") -> frozenset[str]:
    assert signal is not None and not signal.problems, signal
    return strictest([signal], path)


# --- Round trips


def _expected(uses: list[str], vocabulary_of: str) -> frozenset[str]:
    return vocabulary.normal_form(USES if "*" in uses else uses, vocabulary_of)


@pytest.mark.parametrize("uses", SOME, ids=" ".join)
def test_what_is_written_for_a_site_is_read_back_as_the_same_reservation(holder: Holder, uses: list[str]) -> None:
    proved(holder)
    _reserve(holder.society, Target.place("example.com"), uses)
    site = subjects.of_site("example.com")
    assert _everywhere(tdmrep.read(_body(site, "tdmrep.json"))) == _expected(uses, vocabulary.TDMREP)
    assert _everywhere(rsl.read(_body(site, "rsl.xml"), host="example.com")) == _expected(uses, vocabulary.RSL)
    if lines := _body(site, "robots.txt").strip():
        assert _everywhere(robots.read(lines)) >= _expected(uses, vocabulary.AIPREF)
    value = _body(site, "content-usage.txt")
    assert strictest([content_usage.read(value)], "") == _expected(uses, vocabulary.AIPREF)
    assert strictest([cawg.read(_body(site, "cawg.json"))], "") == _expected(uses, vocabulary.CAWG)
    page = markup.read(_body(site, "head.html"))
    assert page and strictest([page], "") == _expected(uses, vocabulary.TDMREP)
    assert rsl.links_in_page(_body(site, "head.html")) == [site.address("rsl.xml")]


@pytest.mark.parametrize("uses", SOME, ids=" ".join)
def test_a_works_fingerprint_carries_its_reservation(work: Work, uses: list[str]) -> None:
    Identifier.objects.create(society=work.society, work=work, scheme="iscc", value=ISCC)
    _reserve(work.society, Target.work(work), uses)
    declared = tdmai.read(_body(subjects.of_work("KOLAA", "W/1"), "tdmai.json"))
    assert strictest([declared], f"ISCC:{ISCC}") == _expected(uses, vocabulary.TDMAI)


def test_paths_and_exceptions_survive_the_way_to_the_site_and_back(holder: Holder) -> None:
    proved(holder)
    place = Target.place("example.com", "", ["/press/"])
    _reserve(holder.society, place, ["*"])
    _reserve(holder.society, Target.place("example.com/press/paid", "/press/paid/"), ["*"])
    site = subjects.of_site("example.com")
    for read_back in (
        tdmrep.read(_body(site, "tdmrep.json")),
        rsl.read(_body(site, "rsl.xml"), host="example.com"),
        robots.read(_body(site, "robots.txt")),
    ):
        assert not _everywhere(read_back, "/press/kit")
        for path in ("/", "/books/1", "/press/paid/a"):
            assert strictest([read_back], path) >= {"train", "finetune", "index"}, (read_back.source, path)
    again = reserved_by(tdmrep.read(_body(site, "tdmrep.json")).statements)
    assert {(each.pattern, each.excepting) for each in again} == {("/press/paid/", ()), ("/", ("/press/",))}


def test_every_file_is_known_again_by_what_it_holds(holder: Holder) -> None:
    proved(holder)
    _reserve(holder.society, Target.place("example.com"), ["train"])
    site = subjects.of_site("example.com")
    known = {
        form: readers.read_file("unnamed", "", _body(site, form)).source
        for form in ("robots.txt", "tdmrep.json", "rsl.xml", "cawg.json", "head.html", "content-usage.txt")
    }
    assert list(known.values()) == ["robots", "tdmrep", "rsl", "c2pa", "tdmrep-meta", "content-usage"]


# --- What a document is made of


def test_a_work_is_reserved_by_itself_by_its_holder_and_by_its_identifiers(work: Work, holder: Holder) -> None:
    Identifier.objects.create(society=work.society, work=work, scheme="isbn", value="9788936434267")
    _reserve(work.society, Target.work(work), ["train"])
    _reserve(work.society, Target.of_holder(holder), ["index"])
    _reserve(work.society, Target.identifier("isbn", "978-89-364-3426-7"), ["ground"])
    assert subjects.of_work("KOLAA", "W/1").statements[0].reserved == {"train", "index", "ground"}
    assert subjects.of_holder("KOLAA", "H-1").statements[0].reserved == {"index"}


def test_a_site_is_reserved_by_its_places_by_the_hosts_above_and_by_who_has_proved_it(holder: Holder) -> None:
    proved(holder, "blog.example.com")
    _reserve(holder.society, Target.place("blog.example.com/poems"), ["train"])
    _reserve(holder.society, Target.place("example.com"), ["index"])
    _reserve(holder.society, Target.place("example.com.evil.net"), ["evaluate"])
    _reserve(holder.society, Target.of_holder(holder), ["ground"])
    signal = Signal("tdmrep", "", subjects.of_site("blog.example.com").statements)
    assert strictest([signal], "/poems") == strictest([signal], "/poems/1") == {"train", "index", "ground"}
    assert strictest([signal], "/poemsandmore") == {"index", "ground"}


def test_what_waits_is_rejected_or_has_ended_is_not_in_it(work: Work) -> None:
    made = _reserve(work.society, Target.work(work), ["train"])
    later = timezone.now() + dt.timedelta(days=1)
    _reserve(work.society, Target.work(work), ["index"], effective_from=later)
    assert subjects.of_work("KOLAA", "W/1").statements[0].reserved == {"train"}
    reservations.withdraw(actor=SYSTEM, reservation=made)
    assert subjects.of_work("KOLAA", "W/1").statements == ()


def test_no_document_tells_who_asked(work: Work, holder: Holder) -> None:
    proved(holder)
    Identifier.objects.create(society=work.society, work=work, scheme="iscc", value=ISCC)
    for target in (Target.work(work), Target.of_holder(holder), Target.place("example.com")):
        _reserve(work.society, target, ["train"])
    for subject in (
        subjects.of_work("KOLAA", "W/1"), subjects.of_holder("KOLAA", "H-1"), subjects.of_site("example.com"),
    ):  # fmt: skip
        for form in outputs.forms_of(subject):
            body = _body(subject, form)
            assert b"rivate" not in body and b"Secret" not in body, form


def test_the_terms_point_to_the_tariff_in_force(work: Work, settings: Any) -> None:
    settings.SITE_URL = "https://jeongsan.example.org/"
    version = determined(work.society)
    _reserve(work.society, Target.work(work), ["train"])
    subject = subjects.of_work("KOLAA", "W/1")
    policy = json.loads(_body(subject, "policy.json"))
    page = f"https://jeongsan.example.org/tariffs/{version.tariff_id}/"
    assert (
        policy["@type"] == "Offer"
        and policy["uid"] == "https://jeongsan.example.org/signals/works/KOLAA/W%2F1/policy.json"
    )
    assert policy["assigner"] == {"uid": page, "vcard:fn": "Kolaa", "vcard:hasURL": page}
    assert page.encode() in _body(subject, "rsl.xml")
    assert json.loads(_body(subject, "tdmrep.json"))[0]["tdm-policy"] == policy["uid"]


def test_a_form_says_for_which_uses_it_has_no_word(work: Work) -> None:
    _reserve(work.society, Target.work(work), ["train", "ground"])
    subject = subjects.of_work("KOLAA", "W/1")
    assert outputs.unsaid(subject, "content-usage.txt") == {"ground"}
    assert not outputs.unsaid(subject, "tdmrep.json")


# --- Served


def test_documents_are_served_to_anybody_at_addresses_that_stay(work: Work, holder: Holder, client: Client) -> None:
    proved(holder)
    for subject, address in (
        (subjects.of_work("KOLAA", "W/1"), "/signals/works/KOLAA/W%2F1/"),
        (subjects.of_holder("KOLAA", "H-1"), "/signals/holders/KOLAA/H-1/"),
        (subjects.of_site("example.com"), "/signals/sites/example.com/"),
    ):
        for form in outputs.forms_of(subject):
            answer = client.get(address + form)
            assert answer.status_code == 200 and answer.content == _body(subject, form)
            assert answer["Content-Type"] == outputs.FORMS[form].media_type
            assert subject.address(form).endswith(address + form)


def test_who_has_a_document_gets_no_body_until_it_changes(work: Work, client: Client) -> None:
    made = _reserve(work.society, Target.work(work), ["train"])
    address = "/signals/works/KOLAA/W%2F1/tdmrep.json"
    first = client.get(address)
    assert first["ETag"].startswith('"') and first["Cache-Control"] == "public, max-age=300"
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert client.get(address, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304
    assert client.head(address)["ETag"] == first["ETag"]
    reservations.withdraw(actor=SYSTEM, reservation=made)
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"] and json.loads(changed.content) == []


@pytest.mark.parametrize(
    "address",
    [
        "/signals/works/KOLAA/W-none/tdmrep.json", "/signals/works/NONE/W%2F1/tdmrep.json", "/signals/works/KOLAA/W%2F1/other.xml",
        "/signals/works/KOLAA/W%2F1/tdmai.json", "/signals/holders/KOLAA/none/rsl.xml", "/signals/sites/other.example/rsl.xml",
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_there(work: Work, client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_a_host_that_somebody_reserved_is_known_without_being_put_on_record(society: Organisation) -> None:
    with pytest.raises(NotFound):
        subjects.of_site("example.com")
    _reserve(society, Target.place("example.com/a"), ["train"])
    assert subjects.of_site("example.com").statements


def test_this_site_has_a_reservation_file_of_its_own(client: Client) -> None:
    answer = client.get("/.well-known/tdmrep.json")
    assert answer["Content-Type"] == "application/json" and answer["ETag"]
    own = tdmrep.read(answer.content)
    assert strictest([own], "/accounts/") == set(USES) and not strictest([own], "/signals/sites/a.kr/rsl.xml")
    assert client.get("/.well-known/tdmrep.json", headers={"If-None-Match": answer["ETag"]}).status_code == 304
