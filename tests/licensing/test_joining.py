"""Somebody asks to join a society: an account by e-mail, an application, a decision; and their identity stays theirs."""

from __future__ import annotations

import datetime
import io
import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.access.services import ask_for_account
from accounts.access.tasks import mail_account_link
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.notices.models import Notice
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.intake.models import StoredFile
from licensing.intake.services import object_path
from licensing.repertoire.models import Application, Holder, Representation
from licensing.repertoire.services import joining
from tests.accounts import people
from tests.licensing.joining_world import member, society

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 an identity card"
PASSWORD = "a long enough one 7"
WHO: dict[str, Any] = {"name": "Seo Yun", "name_ko": "서윤", "kind": "person", "country": "kr", "creates": "Poems"}


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def soc(db: Any) -> Organisation:
    return society()


def newcomer(email: str = "seo@poet.example") -> User:
    return User.objects.create_user(email, "pw", name="Seo Yun")


def applied(soc: Organisation, user: User | None = None, document: bytes = PDF, **fields: Any) -> Application:
    user = user or newcomer()
    return joining.apply(actor=actor_of_user(user), society=soc, identity=io.BytesIO(document), **(WHO | fields))


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form(soc: Organisation, **fields: Any) -> dict[str, Any]:
    document = SimpleUploadedFile("card.exe", PDF)
    return WHO | {"society": soc.pk, "identity": document} | fields


# The account


def asked(client: Client, capture: Any, email: str, **fields: str) -> Any:
    with capture(execute=True):
        return client.post("/join/account/", {"email": email, **fields})


def sent_link() -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


@pytest.fixture
def mailed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's part, at once."""
    monkeypatch.setattr(mail_account_link, "delay", mail_account_link)


@pytest.mark.usefixtures("mailed")
def test_an_account_is_opened_by_a_link_to_ones_own_address_and_leads_to_the_application(
    soc: Organisation, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    start = client.get("/join/apply/", {"society": soc.ref})
    assert start.status_code == 302 and start.headers["Location"].startswith("/join/account/?next=")
    asked(client, django_capture_on_commit_callbacks, "new@poet.example", onward="/join/apply/?society=SOC")
    assert not User.objects.filter(email="new@poet.example").exists()  # whoever types an address makes no account
    link = sent_link()
    answer = client.post(link, {"name": "New", "password": PASSWORD, "again": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/join/apply/?society=SOC")
    assert client.get("/join/apply/").status_code == 200
    assert Client().get(link).status_code == 404  # once


@pytest.mark.usefixtures("mailed")
def test_whether_an_address_has_an_account_is_told_to_that_address_alone(
    soc: Organisation, django_capture_on_commit_callbacks: Any
) -> None:
    newcomer("known@poet.example")
    answers = [
        asked(Client(), django_capture_on_commit_callbacks, email)
        for email in ("known@poet.example", "unknown@poet.example")
    ]
    assert {(a.status_code, a.headers["Location"]) for a in answers} == {(302, "/join/account/sent/")}
    assert "already" in mail.outbox[0].subject and sent_link().startswith("/join/account/")
    assert "/join/account/" not in mail.outbox[0].body


def test_the_link_leads_to_no_other_site(soc: Organisation, client: Client) -> None:
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        page = client.get("/join/account/", {"next": target})
        assert page.context["onward"] == "" and 'name="onward"' in page.content.decode(), target


def test_asking_for_accounts_is_bounded(soc: Organisation, client: Client) -> None:
    answers = [client.post("/join/account/", {"email": "same@poet.example"}).status_code for _ in range(7)]
    assert answers[:5] == [302] * 5 and answers[5:] == [429] * 2


def test_no_address_gets_no_account() -> None:
    with pytest.raises(Refusal):
        ask_for_account(email="no address", language="en")


# The application


def test_an_application_is_sent_seen_and_accepted(soc: Organisation) -> None:
    staff, user = people.person(soc, "repertoire"), newcomer()
    answer = browser(user).post("/join/apply/", form(soc))
    assert answer.headers["Location"] == "/join/mine/"
    made = Application.objects.get()
    assert (made.status, made.country, made.name_ko) == ("submitted", "KR", "서윤")
    assert Notice.objects.filter(user=staff, kind="application").count() == 1
    page = browser(staff).get(f"/applications/{made.pk}/")
    assert "seo@poet.example" in page.content.decode()
    browser(staff).post(f"/applications/{made.pk}/", {"decision": "accept", "ref": "", "answer": "Welcome"})
    made.refresh_from_db()
    assert made.holder is not None
    assert (made.status, made.holder.ref, made.holder.email) == ("accepted", "M-000001", "seo@poet.example")
    assert Representation.objects.get(user=user).scope == "member"
    assert "works.register" in actor_of_user(user).permissions
    assert Notice.objects.filter(user=user, kind="application").count() == 1
    verbs = set(Event.objects.values_list("verb", flat=True))
    assert {"application.submitted", "application.accepted", "holder.added", "representation.set"} <= verbs
    assert not Event.objects.filter(data__icontains="seo").exists()  # nothing about the person


def test_who_became_a_member_on_paper_sees_their_society_and_reference(soc: Organisation) -> None:
    holder = Holder.objects.create(society=soc, ref="P-77", name="Seo Yun", name_ko="서윤")
    user = newcomer()
    Representation.objects.create(user=user, holder=holder)
    page = browser(user).get("/join/mine/").content.decode()
    assert "P-77" in page and "You have not asked" not in page
    application = applied(soc, user=newcomer("new@poet.example"))
    clerk = people.person(soc, "repertoire")
    assert "Who it may be" in browser(clerk).get(f"/applications/{application.pk}/").content.decode()
    joining.accept(actor=actor_of_user(clerk, soc.pk), application=application)
    theirs = browser(application.user).get("/join/mine/").content.decode()
    assert theirs.count("give it to those who register works with you") == 1
    assert "Who it may be" not in browser(clerk).get(f"/applications/{application.pk}/").content.decode()


def test_references_go_on_from_the_highest(soc: Organisation) -> None:
    Holder.objects.create(society=soc, ref="M-000041", name="X")
    Holder.objects.create(society=soc, ref="M-0000zz", name="Y")
    made = joining.accept(actor=SYSTEM, application=applied(soc))
    assert made.holder is not None and made.holder.ref == "M-000042"


def test_an_entered_reference_that_is_taken_changes_nothing(soc: Organisation) -> None:
    Holder.objects.create(society=soc, ref="K-1", name="X")
    made = applied(soc)
    with pytest.raises(Conflict):
        joining.accept(actor=SYSTEM, application=made, ref="K-1")
    assert Application.objects.get().status == "submitted" and Holder.objects.count() == 1


def test_a_refusal_has_an_answer_and_of_two_decisions_one_counts(soc: Organisation) -> None:
    made = applied(soc)
    with pytest.raises(Refusal):
        joining.refuse(actor=SYSTEM, application=made, answer=" ")
    joining.refuse(actor=SYSTEM, application=made, answer="Show a valid card.")
    with pytest.raises(Conflict):
        joining.accept(actor=SYSTEM, application=made)
    assert Holder.objects.count() == 0
    told = Notice.objects.get(user=made.user)
    assert "Show a valid card." in told.body


def test_one_application_is_open_at_a_time_and_can_be_taken_back(soc: Organisation) -> None:
    made = applied(soc)
    with pytest.raises(Conflict):
        applied(soc, made.user)
    client = browser(made.user)
    client.post(f"/join/mine/{made.pk}/withdraw/")
    assert Application.objects.get().status == "withdrawn"
    assert applied(soc, made.user).status == "submitted"


def test_possible_duplicates_are_shown_by_name_number_and_address(soc: Organisation) -> None:
    same = [
        Holder.objects.create(society=soc, ref="A", name="SEO YUN"),
        Holder.objects.create(society=soc, ref="B", name="Other", name_ko="서윤"),
        Holder.objects.create(society=soc, ref="C", name="Other", email="SEO@poet.example"),
        Holder.objects.create(society=soc, ref="D", name="Other", ipi="00014107338"),
    ]
    Holder.objects.create(society=soc, ref="E", name="Nobody like that")
    Holder.objects.create(society=society("ELSEWHERE"), ref="A", name="Seo Yun")
    assert joining.look_alikes(applied(soc, ipi="14107338")) == same


@pytest.mark.parametrize(
    "wrong",
    [{"ipi": "123"}, {"isni": "0000000000000002"}, {"country": "XX"}, {"name": " "}, {"kind": "robot"}],
    ids=str,
)
def test_a_bad_field_is_named_and_nothing_is_kept(soc: Organisation, wrong: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        applied(soc, **wrong)
    assert [error["pointer"] for error in refused.value.errors] == [f"/{next(iter(wrong))}"]
    assert (Application.objects.count(), StoredFile.objects.count()) == (0, 0)


@pytest.mark.parametrize("document", [b"MZ program", b"<html>", b"", b"GIF89a"], ids=repr)
def test_a_document_is_known_by_its_content(soc: Organisation, document: bytes) -> None:
    with pytest.raises(Refusal):
        applied(soc, document=document)
    assert StoredFile.objects.count() == 0


def test_a_document_is_bounded(soc: Organisation, settings: Any) -> None:
    settings.IDENTITY_MAX_BYTES = 10
    with pytest.raises(Refusal):
        applied(soc)


def test_an_organisation_does_not_ask_to_join(soc: Organisation) -> None:
    with pytest.raises(Forbidden):
        joining.apply(actor=people.actor(soc), society=soc, identity=io.BytesIO(PDF), **WHO)


# Who sees what


def test_an_applicant_sees_their_application_and_nothing_of_the_society(soc: Organisation) -> None:
    made = applied(soc)
    secret = member(soc, "M-7", "Secret Member")
    client = browser(made.user)
    assert client.get("/").headers["Location"] == "/join/mine/"
    assert client.get("/overview/").headers["Location"] == "/join/mine/"
    assert b"SOC" in client.get("/join/mine/").content or soc.name.encode() in client.get("/join/mine/").content
    for path in ("/members/", "/applications/", f"/applications/{made.pk}/", f"/applications/{made.pk}/identity/"):
        assert client.get(path).status_code == 403, path
    for path in (
        f"/members/{secret.holder.pk}/",
        "/mandates/mine/",
        "/registrations/",
        "/registrations/new/",
        "/works/",
    ):
        answer = client.get(path)
        assert answer.status_code in (403, 404) or b"Secret" not in answer.content, path


def test_an_identity_document_is_for_membership_staff_alone_and_looking_leaves_a_trace(soc: Organisation) -> None:
    made = applied(soc)
    path = f"/applications/{made.pk}/identity/"
    answer = browser(people.person(soc, "repertoire")).get(path)
    assert b"".join(answer.streaming_content) == PDF
    assert answer.headers["Content-Disposition"] == f'attachment; filename="application-{made.pk}.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "no-store" in answer.headers["Cache-Control"]
    assert Event.objects.filter(verb="application.identity_seen").count() == 1
    for role in ("finance", "auditor", "licensing"):
        assert browser(people.person(soc, role)).get(path).status_code == 403
    stranger = people.person(society("OTHER"), "repertoire")
    assert browser(stranger).get(path).status_code == 404
    assert browser(stranger).get(f"/applications/{made.pk}/").status_code == 404
    assert browser(newcomer("third@x.example")).post(f"/join/mine/{made.pk}/withdraw/").status_code == 404


def test_strangers_can_neither_decide_nor_withdraw(soc: Organisation) -> None:
    made, other = applied(soc), people.actor(society("OTHER"), "repertoire")
    for act in (
        lambda: joining.accept(actor=other, application=made),
        lambda: joining.refuse(actor=other, application=made, answer="x"),
        lambda: joining.withdraw(actor=other, application=made),
    ):
        with pytest.raises(NotFound):
            act()
    assert Application.objects.get().status == "submitted"


# The document goes


def test_the_document_is_deleted_after_its_term(soc: Organisation) -> None:
    made = joining.accept(actor=SYSTEM, application=applied(soc))
    assert made.identity is not None and made.decided_at is not None
    path, term = object_path(made.identity.sha256), datetime.timedelta(days=settings.IDENTITY_KEPT_DAYS)
    moment = datetime.timedelta(seconds=1)
    assert joining.let_go_of_identities(actor=SYSTEM, now=made.decided_at + term - moment) == 0
    assert path.is_file()
    assert joining.let_go_of_identities(actor=SYSTEM, now=made.decided_at + term) == 1
    made.refresh_from_db()
    assert (made.identity, path.exists(), StoredFile.objects.count()) == (None, False, 0)
    assert joining.let_go_of_identities(actor=SYSTEM, now=made.decided_at + term) == 0


def test_a_document_of_an_open_application_is_kept(soc: Organisation) -> None:
    applied(soc)
    assert joining.let_go_of_identities(actor=SYSTEM, now=timezone.now() + datetime.timedelta(days=1000)) == 0


def test_bytes_that_another_application_shows_too_stay_for_it(soc: Organisation) -> None:
    first, second = applied(soc), applied(soc, newcomer("twin@poet.example"))
    assert first.identity is not None and first.identity == second.identity
    joining.refuse(actor=SYSTEM, application=first, answer="No.")
    later = timezone.now() + datetime.timedelta(days=1000)
    assert joining.let_go_of_identities(actor=SYSTEM, now=later) == 1
    second.refresh_from_db()
    assert second.identity is not None and object_path(second.identity.sha256).is_file()


def test_bytes_that_another_society_keeps_stay_in_storage(soc: Organisation) -> None:
    here, elsewhere = applied(soc), applied(society("OTHER"), newcomer("two@poet.example"))
    assert here.identity is not None and elsewhere.identity is not None
    joining.refuse(actor=SYSTEM, application=here, answer="No.")
    joining.let_go_of_identities(actor=SYSTEM, now=timezone.now() + datetime.timedelta(days=1000))
    assert StoredFile.objects.get() == elsewhere.identity
    assert object_path(elsewhere.identity.sha256).is_file()


# The public page


def test_anybody_reads_what_a_society_asks(
    soc: Organisation, client: Client, django_assert_max_num_queries: Any
) -> None:
    from tests.licensing.joining_world import terms

    terms(soc)
    with django_assert_max_num_queries(6):
        page = client.get("/join/").content.decode()
    assert soc.name in page and "90 days" in page and "end of a month" in page
    assert "You authorise us." in client.get("/mandates/terms/", {"society": soc.ref}).content.decode()
    assert client.get("/mandates/terms/", {"society": "NONE"}).status_code == 404


def test_an_account_that_somebody_opened_themself_sends_no_large_bodies(soc: Organisation, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    document = SimpleUploadedFile("card.pdf", PDF + b"x" * 1000)
    assert browser(newcomer()).post("/join/apply/", form(soc, identity=document)).status_code == 413
    assert Application.objects.count() == 0
