"""Certificates: anyone sees whether a licence holds, nobody what it costs, and no one can make or change one."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.evidence.models import Event
from accounts.identity import keys
from accounts.identity.core import SYSTEM, NotFound, Refusal
from licensing import terms
from licensing.licences import odrl, services
from licensing.licences.models import Certificate, Licence
from licensing.licences.services import certificate_files, certificates
from licensing.signals import rsl
from tests.accounts.people import organisation, person
from tests.licensing.licence_world import World
from tests.licensing.parties import determined, licence
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


def granted(**change: Any) -> Licence:
    """A direct grant for training and grounding in Korea, in force, of a firm whose name is long."""
    society = organisation("KOMCA", "society", name="Korea Music Copyright Association", name_ko="한국음악저작권협회")
    firm = organisation("HANBIT", name="Hanbit AI", name_ko="한빛")
    wanted: dict[str, Any] = {
        "uses": ["train", "ground"], "kinds": ["web"], "territory": ["KR"], "tier": "large", "ai_models": ["han-1"],
        "valid_from": datetime.date(2026, 1, 1),
    } | change  # fmt: skip
    return licence(society, firm, determined(society), **wanted)


@pytest.fixture
def certificate() -> Certificate:
    made = granted()
    Licence.objects.filter(pk=made.pk).update(
        conditions={
            "retention_days": 30,
            "deletion_days": 10,
            "output_limit": 200,
            "sublicensing": False,
            "suspension_days": 77,
        }
    )
    return certificates.issue(licence=made)


def test_a_signed_licence_has_its_certificate_at_once() -> None:
    made = World().signed()
    held = Certificate.objects.get(licence=made)
    said = certificates.payload_of(held)
    assert (said["licence"], said["society"]["ref"], said["licensee"]["ref"]) == (made.ref, "WEB-SOCIETY", "HANBIT-AI")
    assert certificates.issue(licence=made) == held  # once
    assert Event.objects.filter(verb="certificate.issued").count() == 1


def test_it_shows_nothing_of_what_the_licence_costs() -> None:
    made = World().signed()
    held = Certificate.objects.select_related("licence").get(licence=made)
    state = certificate_files.state_of(held, timezone.localdate())
    everything = [certificate_files.written(state, name)[0].decode() for name in certificate_files.FILES]
    everything += [json.dumps(certificates.payload_of(held))]
    everything += [paper_text(certificate_files.paper(held, language)) for language in ("en", "ko")]
    everything += [text(Client().get(f"/certificates/{held.code}/"))]
    offer = made.offer
    secrets = [f"{offer.quote.amount:,}", str(offer.quote.amount), offer.sha256, offer.quote.version.sha256]
    for said in everything:
        assert not [secret for secret in secrets if secret in said]
        for word in ("tier", "amount", "5000000", "5,000,000", "quantit", "audit", "suspension_days", "reporting"):
            assert word not in said.lower().replace("frontier", "")


@pytest.mark.parametrize(
    ("change", "standing", "heading"),
    [
        ({}, "valid", "Valid today."),
        ({"status": "suspended"}, "suspended", "Suspended."),
        ({"status": "terminated", "end": "2026-02-01"}, "ended", "Ended."),
        ({"status": "amended", "end": "2026-02-01"}, "ended", "Ended."),
        ({"status": "terminated", "end": "2999-02-01"}, "valid", "Valid today."),
        ({"start": "2990-01-01"}, "not_begun", "Not begun yet."),
    ],
)  # fmt: skip
def test_the_page_says_in_plain_words_whether_it_holds(
    certificate: Certificate, change: dict[str, str], standing: str, heading: str
) -> None:
    day = datetime.date.fromisoformat
    term = (day(change.get("start", "2026-01-01")), day(change["end"]) if "end" in change else None)
    Licence.objects.update(valid=term, status=change.get("status", "active"))
    answer = Client().get(f"/certificates/{certificate.code}/")
    assert heading in text(answer)
    said = Client().get(f"/certificates/{certificate.code}/certificate.json").json()
    assert (said["standing"], said["valid"]) == (standing, standing == "valid")
    policy = Client().get(f"/certificates/{certificate.code}/odrl.json").json()
    assert bool(policy.get("permission")) == (standing in ("valid", "not_begun"))
    assert (b"<permits" in Client().get(f"/certificates/{certificate.code}/rsl.xml").content) == (standing == "valid")


def test_the_page_speaks_korean(certificate: Certificate) -> None:
    page = text(Client(headers={"accept-language": "ko"}).get(f"/certificates/{certificate.code}/"))
    assert "한국음악저작권협회" in page and "한빛" in page


# The code


@given(st.text(max_size=80))
def test_any_text_is_a_code_or_none(typed: str) -> None:
    code = certificates.written(typed)
    assert code == "" or (certificates.CODE.fullmatch(code) and certificates.written(code) == code)


@given(st.lists(st.sampled_from(certificates.LETTERS), min_size=16, max_size=16), st.sampled_from(["", " ", "-", "–"]))
def test_a_code_is_read_however_it_is_spelled(letters: list[str], between: str) -> None:
    spelled = between.join(letters).lower()
    assert certificates.written(spelled).replace("-", "") == "".join(letters)


def test_codes_are_of_letters_that_nobody_mixes_up() -> None:
    made = {certificates.new_code() for _n in range(200)}
    assert len(made) == 200 and all(certificates.CODE.fullmatch(code) for code in made)
    assert not set("01OILU") & set("".join(made))


def test_a_code_as_typed_leads_to_its_page(certificate: Certificate) -> None:
    typed = certificate.code.replace("-", " ").lower()
    answer = Client().get("/certificates/", {"code": typed})
    assert answer["Location"] == f"/certificates/{certificate.code}/"
    assert (
        Client().get(f"/certificates/{certificate.code.lower()}/")["Location"] == f"/certificates/{certificate.code}/"
    )


@pytest.mark.parametrize("code", ["ABCD", "ABCD-EFGH-JKMN-2345", "'%\\", "9" * 4400, "\u202e", "<script>"])
def test_an_unknown_code_is_not_found(certificate: Certificate, code: str) -> None:
    for address in (
        f"/certificates/{code}/",
        f"/certificates/{code}/odrl.json",
        f"/certificates/{code}/certificate-en.pdf",
    ):
        assert Client().get(address).status_code == 404
    assert Client().get("/certificates/", {"code": code}).status_code in (200, 302)


def test_who_guesses_codes_is_stopped_and_who_knows_one_is_not(certificate: Certificate) -> None:
    client = Client()
    answers = [client.get(f"/certificates/{certificates.new_code()}/").status_code for _n in range(25)]
    assert answers[:20] == [404] * 20 and answers[20:] == [429] * 5
    assert client.get(f"/certificates/{certificate.code}/").status_code == 200


# Proof


def test_a_changed_certificate_is_refused(certificate: Certificate) -> None:
    assert certificates.verify(certificate.jws.encode())["code"] == certificate.code
    head, body, seal = certificate.jws.split(".")
    with pytest.raises(Refusal):
        certificates.verify(f"{head}.{body[:-2]}AA.{seal}")
    receipt = keys.sign(certificates.payload_of(certificate), typ="permission-receipt+jws")
    with pytest.raises(Refusal):
        certificates.verify(receipt)  # a receipt of permission is no certificate
    for wrong in (b"", b"\xff\xfe", "…", "a.b.c"):
        with pytest.raises(Refusal):
            certificates.verify(wrong)


def test_the_database_keeps_a_certificate_as_it_is(certificate: Certificate) -> None:
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Certificate.objects.update(code="x")
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Certificate.objects.all().delete()


def test_the_command_verifies_one_and_says_what_it_certifies(
    certificate: Certificate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, published = tmp_path / "certificate.jws", tmp_path / "jwks.json"
    file.write_bytes(Client().get(f"/certificates/{certificate.code}/certificate.jws").content)
    published.write_text(json.dumps(keys.jwks()))
    call_command("verify_certificate", str(file), "--keys", str(published), "--json")
    assert json.loads(capsys.readouterr().out)["code"] == certificate.code
    file.write_text("x" + certificate.jws)
    with pytest.raises(SystemExit) as left:
        call_command("verify_certificate", str(file), "--json")
    assert left.value.code == 1


def test_a_direct_grant_gets_its_certificate_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    made = granted()
    call_command("issue_certificate", made.ref, "--json")
    first = json.loads(capsys.readouterr().out)
    call_command("issue_certificate", made.ref, "--json")
    assert json.loads(capsys.readouterr().out)["code"] == first["code"]
    draft = granted_draft(made)
    with pytest.raises(Refusal, match="draft"):
        certificates.issue(licence=draft)


def granted_draft(beside: Licence) -> Licence:
    return services.create_licence(
        actor=SYSTEM, ref="L-2", society=beside.society, licensee=beside.licensee, tariff=beside.tariff, uses=["train"],
        valid_from=datetime.date(2026, 1, 1), status="draft",
    )  # fmt: skip


def test_only_the_society_issues_one(db: None) -> None:
    made = granted()
    address = f"/licences/{made.pk}/certificate/"
    assert signed_in(person(made.licensee)).post(address).status_code == 403
    assert signed_in(person(organisation("KORRA", "society"))).post(address).status_code == 404
    assert not Certificate.objects.exists()
    client = signed_in(person(made.society, "licensing"))
    assert "Issue a certificate" in text(client.get(f"/licences/{made.pk}/"))
    assert client.post(address)["Location"] == f"/certificates/{Certificate.objects.get().code}/"
    assert Certificate.objects.get().code in text(client.get(f"/licences/{made.pk}/"))


# For machines


def test_files_stay_where_they_are_and_are_not_sent_twice(certificate: Certificate) -> None:
    for name in certificate_files.FILES:
        first = Client().get(f"/certificates/{certificate.code}/{name}")
        assert first["Cache-Control"] == "public, max-age=60" and first["X-Robots-Tag"] == "noindex"
        again = Client().get(f"/certificates/{certificate.code}/{name}", headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_the_odrl_agreement_permits_what_is_licensed_and_no_more(certificate: Certificate) -> None:
    policy = Client().get(f"/certificates/{certificate.code}/odrl.json").json()
    profile = policy["profile"]
    assert (policy["@context"], policy["@type"]) == ("http://www.w3.org/ns/odrl.jsonld", "Agreement")
    assert policy["assigner"]["vcard:organization-name"] == "KOMCA"
    assert policy["assignee"]["vcard:organization-name"] == "HANBIT"
    assert {rule["action"] for rule in policy["permission"]} == {f"{profile}#train", f"{profile}#ground"}
    limits = {each["leftOperand"]: each["rightOperand"] for each in policy["permission"][0]["constraint"]}
    assert limits["spatial"] == ["KR"] and limits[f"{profile}#model"] == ["han-1"]
    assert limits["dateTime"] == {"@value": "2026-01-01", "@type": "xsd:date"}
    assert policy["prohibition"][0]["action"] == "grantUse"
    assert [duty["constraint"][0]["rightOperand"]["@value"] for duty in policy["obligation"]] == ["P30D"]
    defined = {each["@id"] for each in Client().get("/certificates/vocabulary.jsonld").json()["@graph"]}
    assert {rule["action"] for rule in policy["permission"]} < defined


@given(
    uses=st.sets(st.sampled_from([*terms.USES]), min_size=1),
    sublicensing=st.booleans(),
    until=st.none() | st.dates(datetime.date(2027, 1, 1), datetime.date(2100, 1, 1)),
    days=st.none() | st.integers(0, 3650),
    stands=st.booleans(),
)  # fmt: skip
def test_an_agreement_never_permits_more_than_the_licence(
    uses: set[str], sublicensing: bool, until: datetime.date | None, days: int | None, stands: bool
) -> None:
    party = {"ref": "A", "name": "A"}
    said = {
        "uses": sorted(uses), "kinds": ["*"], "territory": ["*"], "models": [], "datasets": [], "issued_at": "", "society": party,
        "licensee": party, "term": {"from": "2026-01-01", "to": until and until.isoformat()},
        "conditions": {"sublicensing": sublicensing, "deletion_days": days},
    }  # fmt: skip
    policy = odrl.agreement(said, address="https://a/", profile="https://p", works="https://w", stands=stands)
    permitted = {rule["action"] for rule in policy.get("permission", [])}
    assert permitted == (
        {f"https://p#{use}" for use in uses} | ({"grantUse"} if sublicensing else set()) if stands else set()
    )
    assert (days is not None and until is not None) == ("obligation" in policy)
    assert policy.get("permission") or policy.get("prohibition")


def test_the_rsl_document_frees_nothing_for_others(certificate: Certificate) -> None:
    raw = Client().get(f"/certificates/{certificate.code}/rsl.xml").content
    assert b'<permits type="usage">ai-train ai-input</permits>' in raw and b'<permits type="geo">KR</permits>' in raw
    read = rsl.read(raw)
    assert not read.problems
    (statement,) = read.statements
    assert not statement.allowed and statement.reserved == frozenset(terms.USES)


def test_texts_from_outside_break_no_format() -> None:
    society = organisation("KOMCA", "society", name='A <b>&"</b> \\')
    firm = organisation("HANBIT", name="</script><script>alert(1)</script>" + "가" * 150)
    made = licence(society, firm, determined(society), ai_models=["#eval(1) [" + "m" * 180], uses=["*"])
    held = certificates.issue(licence=made)
    page = Client().get(f"/certificates/{held.code}/").content.decode()
    assert "<script>alert" not in page
    assert rsl.read(Client().get(f"/certificates/{held.code}/rsl.xml").content).statements
    assert len(pypdf.PdfReader(io.BytesIO(certificate_files.paper(held, "ko"))).pages) == 1


# Paper


def paper_text(raw: bytes) -> str:
    read = pypdf.PdfReader(io.BytesIO(raw))
    return " ".join(page.extract_text() for page in read.pages)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_paper_is_one_page_and_always_the_same(certificate: Certificate, language: str) -> None:
    answer = Client().get(f"/certificates/{certificate.code}/certificate-{language}.pdf")
    raw = answer.content
    assert raw == certificate_files.paper(certificate, language) and len(pypdf.PdfReader(io.BytesIO(raw)).pages) == 1
    assert certificate.code in paper_text(raw)
    assert ("한국음악저작권협회" if language == "ko" else "Korea Music") in paper_text(raw)
    assert Client().get(f"/certificates/{certificate.code}/certificate-fr.pdf").status_code == 404


def test_a_suspension_shows_on_the_page_and_not_on_the_paper(certificate: Certificate) -> None:
    before = certificate_files.paper(certificate, "en")
    services.suspend(actor=SYSTEM, licence=certificate.licence, reason="unpaid")
    assert certificate_files.paper(certificate, "en") == before
    page = text(Client().get(f"/certificates/{certificate.code}/"))
    assert "Suspended." in page and "unpaid" not in page


def test_nobody_finds_one_by_an_empty_code(certificate: Certificate) -> None:
    for code in ("", "–", " "):
        with pytest.raises(NotFound):
            certificates.find(code)
