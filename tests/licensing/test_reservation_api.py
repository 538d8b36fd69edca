"""/reservations/: a register that anybody may look up, and that members and societies write to by program."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.permissions.models import Reservation
from licensing.permissions.services import reservations
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Identifier, Representation, Share, Work
from tests.licensing.parties import organisation

pytestmark = pytest.mark.django_db
URL = "/api/v1/reservations/"
ISBN = "9780306406157"


@pytest.fixture
def society() -> Organisation:
    return organisation("KOLAA", "society")


@pytest.fixture
def work(society: Organisation) -> Work:
    holder = Holder.objects.create(society=society, ref="KIM", name="Kim Secret", email="kim@example.com")
    work = Work.objects.create(society=society, ref="W-1", kind="book", title="Poems")
    Share.objects.create(work=work, holder=holder, ppm=1_000_000, valid=("2020-01-01", None))
    Identifier.objects.create(society=society, work=work, scheme="isbn", value=ISBN)
    return work


def reserve(society: Organisation, target: Target, **more: Any) -> Reservation:
    who = Claimant(name="Lee Secret", email="lee@example.com", role="heir")
    wanted: dict[str, Any] = {"uses": ["train"], "source": "form", "claimant": who, "evidence": "a secret"} | more
    return reservations.reserve(actor=SYSTEM, society=society, target=target, **wanted)


def refs(**asked: str) -> list[str]:
    response = Client().get(URL, asked)
    assert response.status_code == 200, response.content
    return [found["ref"] for found in response.json()["results"]]


def program(of: Organisation, *scopes: str, sandbox: bool = False) -> APIClient:
    client = APIClient(raise_request_exception=False)
    text = issue_token(actor=SYSTEM, organisation=of, scopes=scopes, sandbox=sandbox)[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def member_of(work: Work, *scopes: str) -> APIClient:
    """A program of the member who has the work."""
    user = User.objects.create_user(email="kim@example.com", password=None)
    Representation.objects.create(user=user, holder=Holder.objects.get(ref="KIM"))
    text = issue_token(actor=SYSTEM, user=user, scopes=scopes or ("reservations.make",))[1]
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def test_anyone_looks_up_by_identifier_place_work_use_status_and_society(society: Organisation, work: Work) -> None:
    of_work = reserve(society, Target.work(work), proved=True).ref
    of_isbn = reserve(society, Target.identifier("isbn", ISBN), uses=["*"]).ref
    of_site = reserve(society, Target.place("example.com")).ref
    of_part = reserve(society, Target.place("example.com/books"), uses=["ground"]).ref
    assert refs() == [of_part, of_site, of_isbn, of_work]
    assert refs(identifier="isbn:0-306-40615-2") == [of_isbn, of_work]
    assert refs(identifier="url:https://www.example.com/books/1") == [of_site]
    assert refs(place="https://example.com/books/1") == [of_part, of_site]
    assert refs(work="W-1") == [of_work]
    assert refs(use="ground") == [of_part, of_isbn]
    assert refs(status="effective") == [of_work]
    assert refs(society="KOLAA", use="ground", place="example.com") == []
    assert refs(society="OTHER") == []


def test_a_place_that_is_none_is_a_problem() -> None:
    for asked in ({"place": "co.kr"}, {"identifier": "isbn:1"}, {"identifier": "what"}):
        response = Client().get(URL, asked)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "bad_identifier")


def test_the_register_tells_what_is_reserved_and_never_who_asked(society: Organisation, work: Work) -> None:
    holder = Holder.objects.get(ref="KIM")
    for made in (
        reserve(society, Target.place("example.com", "", ["/press/"])),
        reserve(society, Target.of_holder(holder), claimant=Claimant(holder)),
    ):
        response = Client().get(f"{URL}{made.ref.lower()}/")
        assert response.status_code == 200
        text = response.content.decode()
        assert "Secret" not in text and "@" not in text and "secret" not in text
    assert Client().get(f"{URL}{Reservation.objects.order_by('id')[0].ref}/").json() | {"ref": "", "effective_from": ""} == {
        "ref": "", "society": "KOLAA", "target": "place", "work": None, "title": "", "holder": None,
        "place": "example.com", "pattern": "", "excepting": ["/press/"], "identifier": None, "uses": ["train"],
        "territory": ["*"], "status": "received", "effective_from": "", "ended_at": None,
    }  # fmt: skip


def test_what_waits_for_its_e_mail_is_not_on_the_register(society: Organisation) -> None:
    asked = reservations.request(
        society=society, target=Target.place("example.com"), uses=["*"], claimant=Claimant(email="lee@example.com")
    )
    assert refs() == []
    assert Client().get(f"{URL}{asked.ref}/").status_code == 404


def test_a_member_reserves_and_withdraws_what_is_theirs(society: Organisation, work: Work) -> None:
    client = member_of(work)
    made = client.post(URL, {"work_ref": "W-1", "uses": ["train", "ground"]}, format="json")
    assert made.status_code == 201, made.content
    assert (made.json()["status"], made.json()["uses"]) == ("effective", ["ground", "train"])
    assert made["Location"] == f"{URL}{made.json()['ref']}/"
    again = client.post(URL, {"work_ref": "W-1", "uses": ["ground", "train"]}, format="json")
    assert again.json()["ref"] == made.json()["ref"]
    everything = client.post(URL, {"holder_ref": "KIM", "uses": ["*"]}, format="json").json()
    assert (everything["target"], everything["holder"]) == ("holder", "KIM")
    elsewhere = client.post(URL, {"place": "https://example.com/a/*", "uses": ["train"]}, format="json").json()
    assert (elsewhere["status"], elsewhere["place"], elsewhere["pattern"]) == ("received", "example.com/a", "/a/")
    ended = client.post(f"{made['Location']}withdraw/")
    assert (ended.status_code, ended.json()["status"]) == (200, "withdrawn")
    assert Reservation.objects.get(ref=made.json()["ref"]).source == "api"


def test_the_society_reserves_accepts_and_rejects(society: Organisation, work: Work) -> None:
    client = program(society, "reservations.manage")
    made = client.post(URL, {"identifier": f"isbn:{ISBN}", "uses": ["train"]}, format="json").json()
    assert made["status"] == "received"
    assert client.post(f"{URL}{made['ref']}/accept/").json()["status"] == "effective"
    other = reserve(society, Target.place("example.com")).ref
    assert client.post(f"{URL}{other}/reject/", {}, format="json").status_code == 400
    rejected = client.post(f"{URL}{other}/reject/", {"detail": "Not yours."}, format="json")
    assert rejected.json()["status"] == "rejected"
    assert client.post(f"{URL}{other}/accept/").status_code == 409


def test_nobody_else_reserves_or_withdraws(society: Organisation, work: Work) -> None:
    made = reserve(society, Target.work(work))
    body = {"work_ref": "W-1", "uses": ["train"]}
    firm = program(organisation("DASAN-AI", "licensee"), "permissions.check")
    assert firm.post(URL, body, format="json").status_code in (400, 403)
    assert firm.post(f"{URL}{made.ref}/withdraw/").status_code == 403
    assert Client().post(URL, body, content_type="application/json").status_code == 401
    test_program = program(society, "reservations.manage", sandbox=True)
    assert test_program.post(URL, body, format="json").status_code == 403
    assert test_program.post(f"{URL}{made.ref}/accept/").status_code == 403
    stranger = program(organisation("OTHER", "society"), "reservations.manage")
    assert stranger.post(f"{URL}{made.ref}/accept/").status_code == 404
    assert Reservation.objects.get().status == "received"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"uses": ["train"]}, "invalid"),
        ({"work_ref": "W-1", "place": "example.com", "uses": ["train"]}, "invalid"),
        ({"work_ref": "W-9", "uses": ["train"]}, "unknown_work"),
        ({"work_ref": "W-1", "uses": ["dance"]}, "unknown_term"),
        ({"work_ref": "W-1", "uses": []}, "min_length"),
        ({"work_ref": "W-1", "uses": ["train"], "territory": ["XX"]}, "unknown_territory"),
        ({"work_ref": "W-1", "uses": ["train"], "effective_from": "2020-01-01T00:00:00Z"}, "in_the_past"),
        ({"identifier": "isbn:123", "uses": ["train"]}, "bad_identifier"),
        ({"holder_ref": "NOBODY", "uses": ["train"]}, "holder_needed"),
    ],
)
def test_a_wrong_body_says_what_is_wrong(society: Organisation, work: Work, body: dict[str, Any], code: str) -> None:
    response = program(society, "reservations.manage").post(URL, body, format="json")
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == code
    assert not Reservation.objects.exists()
