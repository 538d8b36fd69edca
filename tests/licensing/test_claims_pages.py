"""The queue, the workbench, the public list and the claims as people meet them; and nothing of the firm's in public."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from accounts.identity.models import User
from licensing.claims import services
from licensing.claims.models import Claim, Unmatched
from licensing.declarations.models import Declaration
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Work
from tests.accounts import people
from tests.licensing.claims_world import DIARIES, HA, ISBN, OTHER_ISBN, World, accepted, world
from tests.licensing.joining_world import member, society

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def browser(user: User | None = None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def books(of: World) -> Work:
    return Work.objects.get(society=of.society, ref="B")


# In public


def test_the_public_list_finds_by_title_creator_identifier_and_address() -> None:
    world()
    anybody = browser()
    for asked, found in (
        ("vegetarian", 3), ("kim ha", 3), (f"isbn:{ISBN}", 1), ("978-89-364-3426-7", 1), ("https://poems.example.org", 2),
        ("poems.example.org/a", 1), ("nothing-like-it", 0), ("other-site.example.net", 1),
    ):  # fmt: skip
        page = text(anybody.get("/unmatched/", {"q": asked}))
        assert len(re.findall(r'href="/unmatched/\d+/"', page)) == found, asked
    assert len(re.findall(r'href="/unmatched/\d+/"', text(anybody.get("/unmatched/?kind=web")))) == 3


def test_nothing_of_the_firms_terms_is_public() -> None:
    """Given a firm with a name, a licence, a dataset, a model and a price, when anybody reads, none of it is there."""
    made = world()
    Declaration.objects.update(dataset="SECRET-CORPUS", model="Secret-LM", reference="PO-4711")
    Unmatched.objects.update(worth=987_654)
    made.firm.licensee.name = "Dasan Artificial"
    made.firm.licensee.save()
    services.seek_candidates(made.society)
    item = made.item()
    claim = made.claim(work=books(made))
    creator = browser(made.creator_user())
    pages = [
        *(browser().get(page) for page in ("/unmatched/", f"/unmatched/{item.pk}/", "/unmatched/?q=vegetarian")),
        *(browser().get(page) for page in ("/api/v1/unmatched/", f"/api/v1/unmatched/{item.pk}/")),
        *(creator.get(page) for page in (f"/unmatched/{item.pk}/claim/", "/claims/", f"/claims/{claim.pk}/")),
        creator.get("/api/v1/me/claims/"),
    ]
    licence = made.firm.licence
    secret = ("DASAN-AI", "Dasan", licence.ref, "SECRET-CORPUS", "Secret-LM", "PO-4711", "987", "2026-03-31", "31 Mar")
    for page in pages:
        assert page.status_code == 200
        assert not [word for word in secret if word in text(page)], page.request["PATH_INFO"]
    assert "5,000" in text(pages[1]) and '"token":5000' in text(pages[4]).replace(" ", "")


def test_a_firms_own_numbers_are_not_shown() -> None:
    made = world([("proprietary", "DASAN-77", 5, "", ""), ("proprietary", "DASAN-78", 5, "A Song", "Oh")])
    page = text(browser().get("/unmatched/"))
    assert "DASAN" not in page and "A Song" in page
    hidden = made.item("DASAN-77")
    assert browser().get(f"/unmatched/{hidden.pk}/").status_code == 404
    assert browser().get(f"/api/v1/unmatched/{hidden.pk}/").status_code == 404
    for guess in ("DASAN-78", "DASAN-79"):  # nor does a guess find out that there is one
        assert "A Song" not in text(browser().get("/unmatched/", {"q": f"proprietary:{guess}"}))
        assert browser().get("/api/v1/unmatched/", {"q": f"proprietary:{guess}"}).json()["results"] == []


def test_what_is_decided_leaves_the_public_list() -> None:
    made = world()
    services.decide(actor=made.staff(), item=made.item(), work=books(made))
    assert browser().get(f"/unmatched/{made.item().pk}/").status_code == 404
    assert len(re.findall(r'href="/unmatched/\d+/"', text(browser().get("/unmatched/")))) == 5


def test_each_visitor_is_told_what_they_can_do() -> None:
    made = world()
    address = f"/unmatched/{made.item().pk}/"
    assert "Join a society" in text(browser().get(address)) and "sign in" in text(browser().get(address))
    assert "It is mine: claim it" in text(browser(made.creator_user()).get(address))
    other = member(society("OTHER"), "M-1", "Ada Byun")
    assert "Join it, and claim it there" in text(browser(other.user).get(address))
    assert browser(other.user).get(f"{address}claim/").status_code == 403
    assert "Open it in the workbench" in text(browser(people.person(made.society, "repertoire")).get(address))


def test_too_many_searches_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    world()
    monkeypatch.setattr("licensing.claims.pages.public.A_MINUTE", 1)
    assert browser().get("/unmatched/?q=a").status_code == 200
    assert browser().get("/unmatched/?q=a").status_code == 429


# Claims


def test_a_creator_claims_follows_and_withdraws() -> None:
    made = world()
    creator, item = browser(made.creator_user()), made.item()
    page = f"/unmatched/{item.pk}/claim/"
    given = {"holder": made.holder().pk, "statement": "I wrote it in 2007."}
    assert "Show that it is yours" in text(creator.post(page, given))
    file = SimpleUploadedFile("contract.pdf", b"%PDF-1 contract")
    answer = creator.post(page, given | {"evidence": file}, follow=True)
    claim = Claim.objects.get()
    assert answer.redirect_chain[0][0] == f"/claims/{claim.pk}/" and "I wrote it in 2007." in text(answer)
    assert claim.ref in text(creator.get("/claims/")) and "Register the work" in text(answer)
    downloaded = creator.get(f"/claims/{claim.pk}/evidence/")
    assert (
        b"".join(downloaded.streaming_content) == b"%PDF-1 contract"
        and "attachment" in downloaded["Content-Disposition"]
    )
    creator.post(f"/claims/{claim.pk}/withdraw/")
    assert Claim.objects.get().status == "withdrawn"


def test_a_claim_is_nobody_elses() -> None:
    made = world()
    claim = made.claim()
    others = (made.creator_user("H2"), people.person(made.firm.licensee), people.person(made.society, "finance"))
    for other in others:
        for page in (f"/claims/{claim.pk}/", f"/claims/{claim.pk}/evidence/"):
            assert browser(other).get(page).status_code in (403, 404)


def test_the_society_decides_rivals_on_one_page() -> None:
    made = world()
    first, second = made.claim(work=books(made)), made.claim("H2")
    staff = browser(people.person(made.society, "repertoire"))
    page = text(staff.get(f"/claims/{second.pk}/"))
    assert first.ref in page and second.ref in page and "Several claim this" in page
    given = {"seen": [first.pk, second.pk], f"reason-{second.pk}": "Another Kim Ha."}
    assert staff.post(f"/claims/{second.pk}/decide/", given).status_code == 422  # nobody chosen
    assert (
        staff.post(f"/claims/{second.pk}/decide/", given | {"seen": [first.pk], "accepted": first.pk}).status_code
        == 409
    )
    staff.post(f"/claims/{second.pk}/decide/", given | {"accepted": first.pk})
    assert [c.status for c in Claim.objects.order_by("pk")] == ["accepted", "refused"]
    assert "next distribution pays the original amount" in text(
        browser(made.creator_user()).get(f"/claims/{first.pk}/")
    )
    assert "Another Kim Ha." in text(browser(made.creator_user("H2")).get("/claims/"))


# The workbench


def test_the_queue_is_for_the_repertoires_people_and_counts_in_the_navigation() -> None:
    made = world()
    page = text(browser(people.person(made.society, "repertoire")).get("/matching/"))
    assert page.index(ISBN) < page.index(OTHER_ISBN) and "₩50" in page
    assert re.search(r'href="/matching/"[^>]*>.{0,200}?>6<', page)
    for stranger in (people.person(made.society, "finance"), people.person(made.firm.licensee), made.creator_user()):
        assert browser(stranger).get("/matching/").status_code == 403


def test_the_queue_narrows() -> None:
    made = world()
    made.claim(item=made.item("poems.example.org/a"))
    Unmatched.objects.filter(value=ISBN).update(candidates=[{"work": books(made).pk, "score": "0.9", "why": []}])
    staff = browser(people.person(made.society, "repertoire"))
    for asked, count in (
        ("q=vegetarian", 3), ("kind=web", 3), ("scheme=isbn", 2), ("only=claimed", 1), ("only=candidates", 1), ("only=conflict", 0),
        ("scheme=title", 1), ("q=vegetarian&scheme=isbn", 2),
    ):  # fmt: skip
        found = set(re.findall(r'href="/matching/(\d+)/', text(staff.get(f"/matching/?{asked}"))))
        assert len(found) == count, asked


def test_a_decision_leads_to_the_next_item_of_the_same_list() -> None:
    made = world()
    staff = browser(people.person(made.society, "repertoire"))
    first, second = made.item(), made.item(OTHER_ISBN)
    answer = staff.post(f"/matching/{first.pk}/decide/?scheme=isbn", {"work": books(made).pk, "reason": "same"})
    assert answer["Location"] == f"/matching/{second.pk}/?scheme=isbn"
    assert made.item().status == "matched"
    answer = staff.post(f"/matching/{second.pk}/decide/?scheme=isbn", {"work": "none"})
    assert answer["Location"] == "/matching/?scheme=isbn"
    assert made.item(OTHER_ISBN).status == "refused"


def test_skipping_goes_on_and_back() -> None:
    made = world()
    staff = browser(people.person(made.society, "repertoire"))
    first, second = made.item(), made.item("poems.example.org/a")
    assert staff.get(f"/matching/{first.pk}/skip/")["Location"] == f"/matching/{second.pk}/"
    assert staff.get(f"/matching/{second.pk}/skip/?back=1")["Location"] == f"/matching/{first.pk}/"


def test_the_workbench_shows_what_was_said_candidates_and_the_own_works() -> None:
    made = world()
    candidate = {"work": books(made).pk, "score": "0.93", "why": ["The same title."]}
    Unmatched.objects.filter(value=ISBN).update(candidates=[candidate])
    staff = browser(people.person(made.society, "repertoire"))
    page = text(staff.get(f"/matching/{made.item().pk}/", {"work": "wiki"}))
    for said in (DIARIES, HA, "1 firm", "5,000", "93% sure", "The same title.", "2 others like it (₩10)", "Wiki page"):
        assert said in page, said
    assert 'data-keys="1 a"' in page and "workbench.js" in page and "<script>" not in page


def test_who_comes_second_is_told_what_was_decided() -> None:
    made = world()
    services.decide(actor=made.staff("administrator"), item=made.item(), work=books(made))
    staff = browser(people.person(made.society, "repertoire"))
    answer = staff.post(f"/matching/{made.item().pk}/decide/", {"work": "none"})
    assert answer.status_code == 409 and "somebody was first" in text(answer)
    assert MatchRule.objects.in_force().get().work == books(made)


def test_a_new_work_is_made_from_the_item() -> None:
    made = world()
    staff = browser(people.person(made.society, "repertoire"))
    page = f"/matching/{made.item().pk}/new-work/"
    assert f"isbn:{ISBN}" in text(staff.get(page))
    given = {
        "ref": "NEW-1",
        "kind": "book",
        "title": DIARIES,
        "creators": HA,
        "identifiers": f"isbn:{ISBN}",
        "alike": "1",
    }
    assert "in use already" in text(staff.post(page, given | {"ref": "B"}))
    answer = staff.post(page, given)
    work = Work.objects.get(ref="NEW-1")
    assert answer["Location"] == f"/works/{work.pk}/shares/" and MatchRule.objects.filter(work=work).count() == 3


def test_decisions_are_listed_and_taken_back() -> None:
    made = world()
    services.decide(actor=made.staff("administrator"), item=made.item(), work=None, reason="Not ours at all")
    staff, rule = browser(people.person(made.society, "repertoire")), MatchRule.objects.get()
    assert "Not ours at all" in text(staff.get("/matching/decisions/"))
    staff.post(f"/matching/decisions/{rule.pk}/withdraw/", {"reason": "It is ours after all"})
    assert made.item().status == "open"
    assert "It is ours after all" in text(staff.get("/matching/decisions/?state=withdrawn"))
    other = browser(people.person(society("OTHER"), "repertoire"))
    assert other.post(f"/matching/decisions/{rule.pk}/withdraw/", {"reason": "x"}).status_code == 404


def test_many_items_take_no_more_queries(django_assert_max_num_queries: Any) -> None:
    made = world()
    accepted(made.firm, [("isbn", f"{n:013}", n, f"Title {n}", "") for n in range(1, 60)])
    services.refresh_items(made.society)
    staff = browser(people.person(made.society, "repertoire"))
    staff.get("/matching/")
    with django_assert_max_num_queries(20):
        staff.get("/matching/")
    with django_assert_max_num_queries(12):
        browser().get("/unmatched/")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_pages_speak_both_languages(language: str) -> None:
    made = world()
    claim = made.claim()
    staff, creator = browser(people.person(made.society, "repertoire")), browser(made.creator_user())
    said = {"ko": "저작물", "en": "works"}[language]
    for client, page in (
        (browser(), "/unmatched/"), (browser(), f"/unmatched/{made.item().pk}/"), (creator, "/claims/"),
        (creator, f"/claims/{claim.pk}/"), (staff, "/matching/"), (staff, f"/matching/{made.item().pk}/"), (staff, "/claims/"),
    ):  # fmt: skip
        with translation.override(language):
            answer = client.get(page, headers={"Accept-Language": language})
        assert answer.status_code == 200 and said in text(answer)
        assert f'<html lang="{language}"' in text(answer)


def test_what_has_several_numbers_of_a_firms_own_has_a_name_all_the_same() -> None:
    made = world([("several", "proprietary:DASAN-1;proprietary:DASAN-2", 5, "", "")])
    item = made.item("proprietary:DASAN-1;proprietary:DASAN-2")
    for page in (text(browser().get("/unmatched/")), text(browser().get(f"/unmatched/{item.pk}/"))):
        assert "DASAN" not in page and "Named by the user's own numbers only" in page.replace("&#x27;", "'")
