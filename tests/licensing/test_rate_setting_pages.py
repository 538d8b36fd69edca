"""The pages on which rates are set: what each audience sees and may do; what strangers send is shown as text only."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.identity.models import User
from accounts.notices.models import Letter
from licensing.tariffs import services
from licensing.tariffs.models import Attachment, Comment, Decision, TariffVersion
from tests.accounts import people
from tests.licensing.rate_setting import CLOSES, DAY, DECIDE_BY, TODAY, Clock, Parties, creator, parties
from tests.licensing.tariff_documents import tariff
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
SAID = {"name": "Seo Yun", "standing": "creator", "text": "Too low.", "email": "seo@poet.example"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    cache.clear()
    return Clock(monkeypatch)


@pytest.fixture
def all_of(db: Any, clock: Clock) -> Parties:
    return parties()


@pytest.fixture
def version(all_of: Parties) -> TariffVersion:
    return all_of.publish()


def published(all_of: Parties, version: TariffVersion, n: int = 0, **said: Any) -> Comment:
    comment = all_of.comment(version, creator(f"c{n}@poet.example")[1], **({"text": f"Comment {n}."} | said))
    return services.moderate(actor=all_of.commissioner, comment=comment)


# Reading


def test_anyone_reads_what_is_proposed_why_and_what_would_change(all_of: Parties, version: TariffVersion) -> None:
    assert "Web text for training, version 1" in text(Client().get("/consultations/"))
    shown = text(Client().get(f"/consultations/{version.pk}/"))
    for said in (
        "Costs rose.", "Small firms pay less.", "Comments are taken until 23 Dec 2026", "training tokens", "₩0.05",
        "Copyright Commission", "No comments yet", "Hand in the comment", f"/tariffs/{version.tariff_id}/?version=1",
        "Decision of the rate body", "asked for by 31 Jan 2027",
    ):  # fmt: skip
        assert said in shown, said
    assert "Take the proposal back" not in shown and "Decide on it" not in shown


def test_comments_stand_by_date_with_name_standing_files_and_answer(all_of: Parties, version: TariffVersion) -> None:
    files = [("chart.pdf", io.BytesIO(b"%PDF-1.7"))]
    first = published(all_of, version, 1, organisation="Poets' Union", files=files)
    published(all_of, version, 2)
    services.answer(actor=all_of.manager, comment=first, text="We looked again.")
    withheld = all_of.comment(version, creator("w@x.example")[1], text="Secret words")
    services.moderate(actor=all_of.commissioner, comment=withheld, ground="off_topic")
    all_of.comment(version, creator("v@x.example")[1], text="Still waiting")
    shown = text(Client().get(f"/consultations/{version.pk}/"))
    assert shown.index("Comment 1.") < shown.index("Comment 2.")
    for said in (
        "2 comments", "Poets&#x27; Union", "creator or rights holder", "chart.pdf", "We looked again.", "Answer of Web Society",
        "not about this tariff: 1",
    ):  # fmt: skip
        assert said in shown, said
    for unseen in ("Secret words", "Still waiting", "seo@"):
        assert unseen not in shown, unseen


def test_consultations_are_listed_as_open_waiting_and_past(
    all_of: Parties, version: TariffVersion, clock: Clock
) -> None:
    def listed(when: str) -> bool:
        return f"/consultations/{version.pk}/" in text(Client().get("/consultations/", {"when": when}))

    assert [listed(when) for when in ("open", "waiting", "past", "x")] == [True, False, False, True]
    clock.at(CLOSES, 0, 0)
    assert [listed(when) for when in ("open", "waiting", "past")] == [False, True, False]
    assert "The rate body is asked to decide by" in text(Client().get(f"/consultations/{version.pk}/"))
    services.refuse(actor=all_of.commissioner, version=version, reason="Too dear.")
    assert [listed(when) for when in ("open", "waiting", "past")] == [False, False, True]
    shown = text(Client().get(f"/consultations/{version.pk}/"))
    assert "This consultation is past." in shown and "Too dear." in shown
    assert "No consultation is open" in text(Client().get("/consultations/"))


def test_drafts_have_no_consultation_for_anybody(all_of: Parties) -> None:
    draft = all_of.draft()
    for client in (Client(), signed_in(all_of.decider), signed_in(all_of.proposer)):
        assert client.get(f"/consultations/{draft.pk}/").status_code == 404


def test_the_way_of_a_version_is_told_step_by_step(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish(all_of.draft(valid_from="2026-01-01"))
    page = f"/tariffs/{version.tariff_id}/?version=1"
    assert "Open until 23 Dec 2026" in text(Client().get(page))
    services.set_interim(actor=all_of.commissioner, version=version, reasons="Until we know more.")
    clock.at(CLOSES)
    document = tariff(valid_from="2026-01-01", minimum="7")
    services.amend(actor=all_of.commissioner, version=version, document=document, reasons="With a floor.")
    shown = text(Client().get(page)).partition("How this version came about")[2]
    steps = (
        "Drafted", "Published with reasons", "Closed on 23 Dec 2026", "Decision: in force for the time being",
        "Until we know more.", "Decision: approved with changes", "With a floor.", "as it was determined: version 2",
        "Replaced with effect from its first day",
    )  # fmt: skip
    places = [shown.find(step) for step in steps]
    assert -1 not in places, dict(zip(steps, places, strict=True))
    assert places == sorted(places)
    after = text(Client().get(f"/tariffs/{version.tariff_id}/?version=2"))
    assert "Determined in place of version 1" in after and "With a floor." in after and "since 1 Jan 2026" in after


# Commenting


def test_a_stranger_comments_and_confirms_by_e_mail(version: TariffVersion) -> None:
    client = Client(headers={"Accept-Language": "ko"})
    answer = client.post(f"/consultations/{version.pk}/", SAID)
    assert answer.headers["Location"] == "/consultations/sent/"
    assert client.get("/consultations/sent/").status_code == 200
    letter = Letter.objects.get()
    assert letter.language == "ko"
    path, _mark, key = letter.link.partition("?key=")
    assert "Too low." in text(client.get(letter.link))
    assert Comment.objects.get().status == "unconfirmed", "opening the link alone confirms nothing: programs open links"
    assert client.post(path, {"key": key}).headers["Location"] == f"/consultations/{version.pk}/"
    assert Comment.objects.get().status == "waiting"
    assert client.get(path, {"key": "wrong"}).status_code == 404
    assert client.get(path).status_code == 404


def test_somebody_signed_in_comments_with_files_and_sees_what_became_of_it(
    all_of: Parties, version: TariffVersion
) -> None:
    user, _actor = creator()
    client = signed_in(user)
    assert "Your e-mail address" not in text(client.get(f"/consultations/{version.pk}/"))
    files = [SimpleUploadedFile("a.pdf", b"%PDF-1.7"), SimpleUploadedFile("b.txt", b"words")]
    answer = client.post(f"/consultations/{version.pk}/", SAID | {"attachments": files}, follow=True)
    assert "Your comment is handed in." in text(answer)
    comment = Comment.objects.get()
    assert (comment.user, comment.attachments.count(), comment.email) == (user, 2, "")
    assert f"{comment.ref}: waits to be published" in text(client.get(f"/consultations/{version.pk}/"))
    assert comment.ref not in text(Client().get(f"/consultations/{version.pk}/"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": ""}, "This field is required."),
        ({"text": "x" * 100_000}, "at most 20000 characters"),
        ({"name": "\u202e"}, "Give your name"),
        ({"email": "x"}, "Enter a valid email address."),
        ({"standing": "king"}, "Select a valid choice."),
        ({"attachments": SimpleUploadedFile("a.html", b"<script>alert(1)</script>")}, "is not of a kind we take"),
        ({"attachments": SimpleUploadedFile("<b>.exe", b"MZ")}, "&lt;b&gt;.exe"),
        ({"attachments": [SimpleUploadedFile(f"{n}.txt", b"x%d" % n) for n in range(6)]}, "at most 5 files"),
    ],
)
def test_what_is_wrong_with_a_comment_is_said_at_its_field(
    version: TariffVersion, changed: dict[str, Any], said: str
) -> None:
    shown = text(Client().post(f"/consultations/{version.pk}/", SAID | changed))
    assert said in shown
    assert not Comment.objects.exists()


def test_a_nul_is_refused_and_a_program_that_fills_in_everything_is_not_heard(version: TariffVersion) -> None:
    assert Client().post(f"/consultations/{version.pk}/", SAID | {"text": "a\x00b"}).status_code == 400
    assert Client().post(f"/consultations/{version.pk}/", SAID | {"homepage": "http://x"}).status_code == 302
    assert not Comment.objects.exists() and not Letter.objects.exists()


def test_comments_are_bounded_a_day(version: TariffVersion) -> None:
    answers = [Client().post(f"/consultations/{version.pk}/", SAID | {"text": f"{n}"}).status_code for n in range(11)]
    assert answers == [302] * 10 + [429]
    assert Comment.objects.count() == 10


def test_after_the_end_there_is_no_form_and_a_late_one_is_refused(version: TariffVersion, clock: Clock) -> None:
    clock.at(CLOSES, 0, 0)
    assert "Hand in the comment" not in text(Client().get(f"/consultations/{version.pk}/"))
    Client().post(f"/consultations/{version.pk}/", SAID)
    assert not Comment.objects.exists()


def test_hostile_words_are_shown_as_words(all_of: Parties, version: TariffVersion) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    comment = published(all_of, version, 1, text=hostile, name=hostile[:80], organisation="<i>x</i>")
    services.answer(actor=all_of.manager, comment=comment, text=hostile)
    waiting = all_of.comment(version, creator("h@x.example")[1], text=hostile)
    pages = (
        Client().get(f"/consultations/{version.pk}/"),
        signed_in(all_of.decider).get("/rates/work/"),
    )
    for page in pages:
        assert "<script>alert" not in page.content.decode() and "<img src=x" not in page.content.decode()
        assert "&lt;script&gt;" in page.content.decode()
    assert waiting.status == "waiting"


def test_files_are_saved_never_opened_and_only_once_published(all_of: Parties, version: TariffVersion) -> None:
    user, actor = creator()
    comment = all_of.comment(version, actor, files=[("악보.pdf", io.BytesIO(b"%PDF-1.7"))])
    address = f"/consultations/attachments/{Attachment.objects.get().pk}/"
    other = people.person(people.organisation("B2", "rate_body"))
    seen = {
        "anyone": Client(), "society": signed_in(all_of.proposer), "another body": signed_in(other),
        "writer": signed_in(user), "rate body": signed_in(all_of.decider),
    }  # fmt: skip
    opened = {who: client.get(address) for who, client in seen.items()}
    assert [who for who, answer in opened.items() if answer.status_code == 200] == ["writer", "rate body"]
    for answer in opened.values():
        assert answer.status_code == 404 or b"".join(answer.streaming_content) == b"%PDF-1.7"
    services.moderate(actor=all_of.commissioner, comment=comment)
    answer = Client().get(address)
    assert b"".join(answer.streaming_content) == b"%PDF-1.7"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


# The society


def test_the_society_publishes_extends_answers_and_withdraws(all_of: Parties) -> None:
    draft, client = all_of.draft(), signed_in(all_of.proposer)
    address = f"/tariffs/versions/{draft.pk}/publish/"
    assert "Last day for comments" in text(client.get(address))
    terms = {
        "body": all_of.body.pk, "reasons": "Costs rose.", "effect": "Little.", "last_day": TODAY + 12 * DAY,
        "decide_by": DECIDE_BY,
    }  # fmt: skip
    assert "A consultation lasts from 14 to 366 days." in text(client.post(address, terms))
    assert client.post(address, terms | {"last_day": CLOSES - DAY}).headers["Location"] == f"/consultations/{draft.pk}/"
    draft.refresh_from_db()
    assert (draft.status, draft.consultation.upper) == ("proposed", CLOSES)
    client.post(f"/tariffs/versions/{draft.pk}/extend/", {"last_day": CLOSES})
    draft.refresh_from_db()
    assert draft.consultation.upper == CLOSES + DAY
    comment = published(all_of, draft)
    client.post(f"/consultations/comments/{comment.pk}/answer/", {"text": "We looked again."})
    comment.refresh_from_db()
    assert comment.answer == "We looked again."
    client.post(f"/tariffs/versions/{draft.pk}/withdraw/", {"reason": "We think again."})
    draft.refresh_from_db()
    assert draft.status == "withdrawn"
    assert "We think again." in text(Client().get(f"/consultations/{draft.pk}/"))


def test_a_draft_is_discarded_from_its_page(all_of: Parties) -> None:
    draft, client = all_of.draft(), signed_in(all_of.proposer)
    assert "Discard the draft" in text(client.get(f"/tariffs/{draft.tariff_id}/?version=1"))
    assert client.post(f"/tariffs/versions/{draft.pk}/discard/").headers["Location"] == "/tariffs/"
    assert not TariffVersion.objects.exists()


# The rate body


def test_the_rate_body_sees_what_waits_and_settles_it(all_of: Parties, version: TariffVersion, clock: Clock) -> None:
    all_of.publish(all_of.draft(tariff="BOOKS"), body=people.organisation("OTHER", "rate_body"))
    comment = all_of.comment(version, creator()[1])
    client = signed_in(all_of.decider)
    shown = text(client.get("/rates/work/"))
    assert "Too low." in shown and f"/tariffs/versions/{version.pk}/decide/" in shown and "BOOKS" not in shown
    client.post(f"/consultations/comments/{comment.pk}/moderate/", {"ground": "repeated"})
    comment.refresh_from_db()
    assert (comment.status, comment.ground) == ("withheld", "repeated")
    clock.at(DECIDE_BY - 5 * DAY)
    client = signed_in(all_of.decider)
    assert "5 days left" in text(client.get("/rates/work/"))
    clock.at(DECIDE_BY + DAY)
    shown = text(client.get("/rates/work/"))
    assert "Overdue" in shown
    assert "No comments wait" in shown


def test_a_rate_body_begins_with_what_waits_for_it(all_of: Parties) -> None:
    assert signed_in(all_of.decider).get(reverse("royalties:overview")).headers["Location"] == "/rates/work/"


def decide(client: Client, version: TariffVersion, act: str, **more: Any) -> Any:
    return client.post(f"/tariffs/versions/{version.pk}/decide/", {"act": act, "reasons": "Fair."} | more)


def test_the_page_of_the_decision_offers_what_is_open(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish(all_of.draft(valid_from="2026-01-01"))
    client = signed_in(all_of.decider)

    def offered() -> list[str]:
        client.force_login(all_of.decider)
        page = client.get(f"/tariffs/versions/{version.pk}/decide/").content.decode()
        return re.findall(r'name="act" value="(\w+)"', page)

    assert offered() == ["interim"]
    assert "The text as it shall be" not in text(client.get(f"/tariffs/versions/{version.pk}/decide/"))
    assert "Select a valid choice" in text(decide(client, version, "determine"))
    assert decide(client, version, "interim").status_code == 302
    assert offered() == []
    clock.at(CLOSES)
    assert offered() == ["confirm", "amend"]
    assert decide(client, version, "confirm").status_code == 302
    assert client.get(f"/tariffs/versions/{version.pk}/decide/").status_code == 404
    assert [d.outcome for d in Decision.objects.order_by("pk")] == ["interim", "approved"]


@pytest.mark.parametrize("act", ["determine", "refuse", "interim", "amend"])
def test_each_decision_is_recorded_with_its_reasons(
    all_of: Parties, version: TariffVersion, clock: Clock, act: str
) -> None:
    clock.at(CLOSES)
    client = signed_in(all_of.decider)
    assert "This field is required." in text(decide(client, version, act, reasons=""))
    document = json.dumps(tariff(valid_from="2027-03-01", minimum="5"))
    answer = decide(client, version, act, document=document)
    result = {"determine": "determined", "refuse": "refused", "interim": "interim", "amend": "amended"}[act]
    version.refresh_from_db()
    assert (version.status, version.decisions.get().reasons) == (result, "Fair.")
    shown = text(Client().get(answer.headers["Location"]))
    assert "Fair." in shown


def test_a_broken_text_is_told_place_by_place_and_stays_to_be_put_right(
    all_of: Parties, version: TariffVersion, clock: Clock
) -> None:
    clock.at(CLOSES)
    client = signed_in(all_of.decider)
    broken = json.dumps(tariff(minimum=5, name="Kept text"))
    shown = text(decide(client, version, "amend", document=broken))
    assert "/minimum" in shown and "Kept text" in shown
    for bad in ("", "{", "[]", "x" * 1_000_001, "{}"):
        assert decide(client, version, "amend", document=bad).status_code == 200
    assert "Approve it, or change it" in text(decide(client, version, "amend", document=json.dumps(version.document)))
    assert not Decision.objects.exists()


# Doors


def test_each_door_opens_to_its_own_people_only(all_of: Parties, version: TariffVersion, clock: Clock) -> None:
    clock.at(CLOSES)
    draft = all_of.draft(version=2)
    clock.at(TODAY)
    comment = all_of.comment(version, creator("d@x.example")[1])
    clock.at(CLOSES)
    doors = {
        "/rates/work/": {"body", "other body"},
        f"/tariffs/versions/{version.pk}/decide/": {"body"},
        f"/consultations/comments/{comment.pk}/moderate/": {"body"},
        f"/tariffs/versions/{draft.pk}/publish/": {"society"},
        f"/tariffs/versions/{draft.pk}/effect/": {"society"},
        f"/tariffs/versions/{version.pk}/withdraw/": {"society"},
    }
    who: dict[str, User | None] = {
        "society": all_of.proposer, "body": all_of.decider, "other body": people.person(people.organisation("B2", "rate_body")),
        "other society": people.person(people.organisation("S2", "society")),
        "firm": people.person(people.organisation("FIRM", "licensee")),
        "finance": people.person(all_of.society, "finance"), "nobody": None,
    }  # fmt: skip
    for door, open_to in doors.items():
        for name, user in who.items():
            client = signed_in(user) if user else Client()
            for answer in (client.get(door), client.post(door, {"ground": "dull"})):
                if name in open_to:
                    assert answer.status_code in (200, 302, 400, 405), (door, name)
                    assert "/accounts/login/" not in answer.headers.get("Location", "")
                elif name == "nobody":
                    assert answer.status_code == 405 or "/accounts/login/" in answer.headers["Location"], door
                else:
                    assert answer.status_code in (403, 404, 405), (door, name, answer.status_code)
    version.refresh_from_db()
    comment.refresh_from_db()
    assert (version.status, comment.status) == ("proposed", "waiting")


@pytest.mark.parametrize("address", ["/consultations/", "/rates/work/", "consultation"])
def test_more_comments_and_versions_ask_no_more_of_the_database(
    all_of: Parties, version: TariffVersion, address: str
) -> None:
    client = signed_in(all_of.decider)
    place = f"/consultations/{version.pk}/" if address == "consultation" else address

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(place).status_code == 200
        return len(asked)

    published(all_of, version, 1, files=[("a.txt", io.BytesIO(b"a"))])
    all_of.comment(version, creator("w1@x.example")[1], text="w1", files=[("b.txt", io.BytesIO(b"b"))])
    queries()
    few = queries()
    for n in range(2, 8):
        published(all_of, version, n, files=[(f"{n}.txt", io.BytesIO(b"%d" % n))])
        all_of.comment(version, creator(f"w{n}@x.example")[1], text=f"w{n}", files=[("b.txt", io.BytesIO(b"b%d" % n))])
        all_of.publish(all_of.draft(version=n))
    assert queries() == few


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_page_speaks_both_languages(all_of: Parties, version: TariffVersion, language: str, clock: Clock) -> None:
    published(all_of, version)
    draft, versions = all_of.draft(version=2), "/tariffs/versions"
    for user, addresses in (
        (None, ["/consultations/", f"/consultations/{version.pk}/", "/consultations/sent/"]),
        (all_of.proposer, [f"{versions}/{draft.pk}/publish/", f"{versions}/{version.pk}/withdraw/", f"/consultations/{version.pk}/"]),
        (all_of.decider, ["/rates/work/", f"/tariffs/versions/{version.pk}/decide/"]),
    ):  # fmt: skip
        client = signed_in(user) if user else Client()
        client.cookies["django_language"] = language
        for address in addresses:
            answer = client.get(address, headers={"Accept-Language": language})
            assert answer.status_code == 200
            assert f'lang="{language}"' in answer.content.decode()
    asked = Client(headers={"Accept-Language": language}).get(f"/consultations/{version.pk}/")
    assert ("They become public with the comment" in text(asked)) == (language == "en")


# Programs


def test_programs_read_consultations_and_published_comments(all_of: Parties, version: TariffVersion) -> None:
    first = published(all_of, version, 1, files=[("a.pdf", io.BytesIO(b"%PDF-1.7"))])
    services.moderate(
        actor=all_of.commissioner, comment=all_of.comment(version, creator("g@x.example")[1]), ground="personal"
    )
    all_of.comment(version, creator("u@x.example")[1], text="waits")
    all_of.draft(version=2)
    [shown] = Client().get("/api/v1/consultations/").json()["results"]
    assert (shown["id"], shown["tariff"], shown["body"], shown["opens"], shown["closes"], shown["open"]) == (
        version.pk, "WEB", "COMMISSION", "2026-11-24", "2026-12-24", True,
    )  # fmt: skip
    assert (shown["comments"], shown["withheld"], shown["reasons"]) == (1, {"personal": 1}, "Costs rose.")
    assert Client().get(f"/api/v1/consultations/{version.pk}/").json() == shown
    [comment] = Client().get(f"/api/v1/consultations/{version.pk}/comments/").json()["results"]
    assert (comment["ref"], comment["text"], comment["attachments"]) == (first.ref, "Comment 1.", ["a.pdf"])
    assert not {"email", "user", "user_id"} & set(comment)
    assert Client().get("/api/v1/consultations/?open=1").json()["results"]
    for absent in (TariffVersion.objects.get(version=2).pk, 10**17):
        assert Client().get(f"/api/v1/consultations/{absent}/comments/").status_code == 404
        assert Client().get(f"/api/v1/consultations/{absent}/").status_code == 404


def test_programs_page_through_comments(all_of: Parties, version: TariffVersion) -> None:
    refs = [published(all_of, version, n).ref for n in range(5)]
    page = Client().get(f"/api/v1/consultations/{version.pk}/comments/", {"page_size": 2}).json()
    seen = [each["ref"] for each in page["results"]]
    while page["next"]:
        page = Client().get(page["next"]).json()
        seen += [each["ref"] for each in page["results"]]
    assert seen == refs
