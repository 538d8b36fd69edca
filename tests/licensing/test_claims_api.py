"""The same over the API: a public list, a creator's claims, and a society that decides about them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM
from licensing.claims.models import Claim
from licensing.repertoire.models import Work
from tests.accounts import people
from tests.licensing.claims_world import ISBN, World, world

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def creator(of: World, ref: str = "H1") -> Client:
    text = issue_token(actor=SYSTEM, user=of.creator_user(ref), scopes="works.register")[1]
    return Client(headers={"Authorization": f"Bearer {text}"})


def society(of: World) -> Client:
    return Client(headers={"Authorization": f"Bearer {people.token(of.society, 'works.import')[1]}"})


def sent(client: Client, address: str, data: dict[str, Any]) -> Any:
    return client.post(f"{API}{address}", data, content_type="application/json")


def test_everybody_finds_an_item_by_its_number() -> None:
    made = world()
    found = Client().get(f"{API}/unmatched/", {"q": f"isbn:{ISBN}"}).json()["results"]
    assert found == [
        {
            "id": made.item().pk, "title": "The Vegetarian Diaries", "creators": "Kim Ha", "kind": "book",
            "identifiers": [{"scheme": "isbn", "value": ISBN}], "units": {"token": 5000}, "society": "PRESS",
        }
    ]  # fmt: skip
    assert len(Client().get(f"{API}/unmatched/?kind=web&society=PRESS").json()["results"]) == 3


def test_a_claim_is_made_followed_and_withdrawn() -> None:
    made = world()
    me = creator(made)
    bare = sent(me, "/me/claims/", {"item": made.item().pk, "statement": "Mine."})
    assert (bare.status_code, bare.json()["errors"][0]["pointer"]) == (400, "/evidence")
    answer = sent(me, "/me/claims/", {"item": made.item().pk, "statement": "Mine.", "work": "B"})
    assert answer.status_code == 201 and answer.json()["work"] == "B"
    again = sent(me, "/me/claims/", {"item": made.item().pk, "statement": "Mine.", "work": "B"})
    assert again.status_code == 409
    ref = answer.json()["ref"]
    assert [each["ref"] for each in me.get(f"{API}/me/claims/?status=open").json()["results"]] == [ref]
    assert me.post(f"{API}/me/claims/{ref}/withdraw/").json()["status"] == "withdrawn"
    assert creator(made, "H2").get(f"{API}/me/claims/{ref}/").status_code == 404


def test_a_file_is_sent_as_multipart() -> None:
    made = world()
    file = SimpleUploadedFile("contract.pdf", b"%PDF-1")
    given = {"item": made.item().pk, "statement": "Mine.", "evidence": file}
    answer = creator(made).post(f"{API}/me/claims/", given)
    assert (answer.status_code, answer.json()["evidence"]) == (201, "contract.pdf")


def test_a_society_accepts_one_and_refuses_the_others() -> None:
    made = world()
    first, second, staff = made.claim(work=Work.objects.get(ref="B")), made.claim("H2"), society(made)
    assert sent(staff, f"/claims/{first.ref}/accept/", {}).status_code == 409  # the other was not looked at
    refused = {"refused": [{"claim": second.ref, "reason": "Another Kim Ha."}]}
    answer = sent(staff, f"/claims/{first.ref}/accept/", refused)
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    assert Claim.objects.get(pk=second.pk).reason == "Another Kim Ha." and made.item().status == "matched"


def test_a_society_refuses_all() -> None:
    made = world()
    claim = made.claim()
    given = {"refused": [{"claim": claim.ref, "reason": "Shown too little."}]}
    assert sent(society(made), f"/claims/{claim.ref}/refuse/", given).json()["reason"] == "Shown too little."
    assert made.item().status == "open"
