"""Anyone concerned comments while the consultation is open; the rate body moderates; the society answers."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.access.models import Membership
from accounts.evidence.models import Event
from accounts.identity.core import NOBODY, Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Letter, Notice
from licensing.intake.models import StoredFile
from licensing.intake.services import object_path, path_of
from licensing.tariffs import services
from licensing.tariffs.models import Attachment, Comment, TariffVersion
from licensing.tariffs.services import commenting, reminding
from licensing.tariffs.services.attaching import MOST_BYTES, checked
from licensing.tariffs.services.common import said
from tests.accounts import people
from tests.licensing.rate_setting import CLOSES, DAY, DECIDE_BY, TODAY, Clock, Parties, creator, parties

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def all_of(db: Any, clock: Clock) -> Parties:
    return parties()


@pytest.fixture
def version(all_of: Parties) -> TariffVersion:
    return all_of.publish()


def code(refused: Any, act: Any) -> str:
    with pytest.raises(refused) as caught:
        act()
    return str(caught.value.code)


def verbs(comment: Comment) -> list[str]:
    events = Event.objects.about("comment", comment.pk).order_by("id")
    return [verb.removeprefix("comment.") for verb in events.values_list("verb", flat=True)]


def key_of_last_letter() -> str:
    return Letter.objects.latest("pk").link.partition("?key=")[2]


# Who comments, and when


def test_somebody_signed_in_comments_under_their_name(all_of: Parties, version: TariffVersion) -> None:
    user, actor = creator()
    comment = all_of.comment(version, actor, organisation="Poets' Union")
    assert (comment.status, comment.user, comment.name, comment.organisation) == (
        "waiting",
        user,
        "Seo Yun",
        "Poets' Union",
    )
    assert comment.received_at is not None
    assert verbs(comment) == ["received"]
    assert not Letter.objects.exists()
    assert Notice.objects.filter(user=all_of.decider, link="/rates/work/").count() == 1


def test_without_an_account_a_comment_counts_once_its_e_mail_is_confirmed(
    all_of: Parties, version: TariffVersion
) -> None:
    comment = all_of.comment(version)
    assert (comment.status, comment.received_at) == ("unconfirmed", None)
    letter = Letter.objects.get()
    assert (letter.email, letter.language) == ("seo@poet.example", "en")
    assert "2026-12-23" in letter.body
    assert code(NotFound, lambda: services.confirm(comment.ref, "wrong")) == "not_found"
    confirmed = services.confirm(comment.ref, key_of_last_letter())
    assert (confirmed.status, confirmed.received_at is not None) == ("waiting", True)
    assert services.confirm(comment.ref, key_of_last_letter()).status == "waiting", "again changes nothing"
    assert verbs(comment) == ["requested", "received"]


def test_the_same_words_again_bring_a_fresh_link_and_the_old_one_no_longer_opens(
    all_of: Parties, version: TariffVersion
) -> None:
    first = all_of.comment(version)
    old = key_of_last_letter()
    assert all_of.comment(version).pk == first.pk
    assert Letter.objects.count() == 2
    assert code(NotFound, lambda: services.confirm(first.ref, old)) == "not_found"
    assert services.confirm(first.ref, key_of_last_letter()).status == "waiting"


def test_evidence_holds_neither_names_nor_words(all_of: Parties, version: TariffVersion) -> None:
    comment = all_of.comment(version)
    services.confirm(comment.ref, key_of_last_letter())
    kept = str(list(Event.objects.about("comment", comment.pk).values("data", "actor_label")))
    for private in ("Seo", "seo@", "Too low"):
        assert private not in kept


@pytest.mark.parametrize(
    ("moment", "open_then"),
    [
        ((TODAY, 12, 0), True),
        ((CLOSES - DAY, 23, 59), True),  # the last minute in Seoul, when it is 14:59 in Greenwich
        ((CLOSES, 0, 0), False),
        ((CLOSES, 9, 0), False),
        ((DECIDE_BY, 12, 0), False),
    ],
)
def test_comments_are_taken_on_the_days_of_the_consultation_in_seoul(
    all_of: Parties, version: TariffVersion, clock: Clock, moment: Any, open_then: bool
) -> None:
    clock.at(*moment)
    if open_then:
        assert all_of.comment(version, creator()[1]).status == "waiting"
    else:
        assert code(Conflict, lambda: all_of.comment(version, creator()[1])) == "consultation_closed"
        assert not Comment.objects.exists()


def test_a_link_is_too_late_after_the_consultation(all_of: Parties, version: TariffVersion, clock: Clock) -> None:
    comment = all_of.comment(version)
    clock.at(CLOSES, 0, 0)
    assert code(Conflict, lambda: services.confirm(comment.ref, key_of_last_letter())) == "consultation_closed"
    comment.refresh_from_db()
    assert comment.status == "unconfirmed"


def test_there_is_nothing_to_say_of_drafts_withdrawn_or_decided_versions(
    all_of: Parties, version: TariffVersion
) -> None:
    services.withdraw(actor=all_of.manager, version=version, reason="x")
    for closed in (version, all_of.draft(version=2)):
        assert (
            code(Conflict, lambda v=closed: all_of.comment(v, creator(f"{v.pk}@x.example")[1])) == "consultation_closed"
        )


def test_interim_rates_are_still_spoken_of(all_of: Parties, version: TariffVersion) -> None:
    services.set_interim(actor=all_of.commissioner, version=version, reasons="x")
    assert all_of.comment(version, creator()[1]).status == "waiting"


def test_those_who_propose_and_those_who_decide_do_not_comment(all_of: Parties, version: TariffVersion) -> None:
    for actor in (all_of.manager, all_of.commissioner):
        with pytest.raises(Forbidden):
            all_of.comment(version, actor)
    firm = people.actor(people.organisation("FIRM", "licensee"))
    assert all_of.comment(version, firm, standing="firm").status == "waiting"


@pytest.mark.parametrize(
    ("changed", "said_code"),
    [
        ({"name": "  "}, "no_name"),
        ({"name": "\u202e\u200b"}, "no_name"),
        ({"name": "x" * 201}, "too_long"),
        ({"text": "\n\n"}, "no_text"),
        ({"text": "x" * 100_000}, "too_long"),
        ({"standing": "king"}, "unknown_standing"),
        ({"email": "nobody"}, "no_email"),
        ({"email": ""}, "no_email"),
    ],
)
def test_a_comment_is_refused_where_something_is_missing_or_too_much(
    all_of: Parties, version: TariffVersion, changed: dict[str, Any], said_code: str
) -> None:
    assert code(Refusal, lambda: all_of.comment(version, **changed)) == said_code
    assert not Comment.objects.exists() and not Letter.objects.exists()


def test_the_same_words_are_not_said_twice_from_one_account(all_of: Parties, version: TariffVersion) -> None:
    _user, actor = creator()
    all_of.comment(version, actor)
    assert code(Conflict, lambda: all_of.comment(version, actor)) == "said_before"
    assert all_of.comment(version, actor, text="And more.").status == "waiting"


def test_marks_that_hide_or_turn_text_are_not_kept(all_of: Parties, version: TariffVersion) -> None:
    comment = all_of.comment(version, creator()[1], name="Seo\u202e Yun\x07", text="a\u2066b\r\nc\x00\x1b[31m <b>d</b>")
    assert comment.name == "Seo Yun"
    assert comment.text == "ab\nc[31m <b>d</b>", "HTML is kept as it was written, and shown as text"


@given(st.text(max_size=300))
@settings(max_examples=100)
def test_a_text_is_kept_clean_and_cleaning_it_again_changes_nothing(text: str) -> None:
    once = said(text, pointer="/text")
    assert said(once, pointer="/text") == once
    assert not any(c in once for c in "\u202e\u2066\u200b\x00\x1b\r")


# Moderation and answers


def waiting(all_of: Parties, version: TariffVersion, text: str = "Too low.") -> Comment:
    return all_of.comment(version, creator(f"{len(text)}-{abs(hash(text))}@poet.example")[1], text=text)


def test_the_rate_body_publishes_and_its_writer_and_the_society_are_told(
    all_of: Parties, version: TariffVersion
) -> None:
    comment = waiting(all_of, version)
    assert not Comment.objects.visible_to(NOBODY).exists()
    published = services.moderate(actor=all_of.commissioner, comment=comment)
    assert (published.status, published.ground) == ("published", "")
    assert Comment.objects.visible_to(NOBODY).get() == comment
    assert verbs(comment) == ["received", "published"]
    assert Notice.objects.filter(user=comment.user, key=f"comment-moderated:{comment.pk}").count() == 1
    assert Notice.objects.filter(user=all_of.proposer, kind="tariff").count() == 1
    services.moderate(actor=all_of.commissioner, comment=waiting(all_of, version, "Again."))
    assert Notice.objects.filter(user=all_of.proposer, kind="tariff").count() == 1, "the society hears once a day"


def test_a_comment_is_withheld_for_a_published_ground_and_its_writer_is_told_which(
    all_of: Parties, version: TariffVersion
) -> None:
    comment = all_of.comment(version)
    services.confirm(comment.ref, key_of_last_letter())
    withheld = services.moderate(actor=all_of.commissioner, comment=comment, ground="off_topic")
    assert (withheld.status, withheld.ground) == ("withheld", "off_topic")
    assert "not about this tariff" in Letter.objects.latest("pk").body
    assert Event.objects.about("comment", comment.pk).get(verb="comment.withheld").data["reason"] == "off_topic"
    assert not Comment.objects.visible_to(NOBODY).exists()


def test_the_society_moderates_nothing_and_does_not_see_what_waits(all_of: Parties, version: TariffVersion) -> None:
    comment = waiting(all_of, version)
    assert not Comment.objects.visible_to(all_of.manager).exists()
    others = (all_of.manager, people.actor(people.organisation("OTHER", "rate_body")), NOBODY)
    for actor in others:
        with pytest.raises((Forbidden, NotFound)):
            services.moderate(actor=actor, comment=comment)
    comment.refresh_from_db()
    assert comment.status == "waiting"


def test_who_works_for_the_society_too_moderates_nothing(all_of: Parties, version: TariffVersion) -> None:
    """They would withhold what is said against their own proposal."""
    comment = all_of.comment(version, creator()[1])
    Membership.objects.create(user=all_of.decider, organisation=all_of.society, role="licensing")
    for ground in ("", "off_topic"):
        with pytest.raises(Forbidden):
            services.moderate(actor=all_of.commissioner, comment=comment, ground=ground)
    comment.refresh_from_db()
    assert comment.status == "waiting"


def test_a_comment_is_settled_once_and_for_a_ground_that_is_known(all_of: Parties, version: TariffVersion) -> None:
    comment = waiting(all_of, version)
    moderate = services.moderate
    assert (
        code(Refusal, lambda: moderate(actor=all_of.commissioner, comment=comment, ground="dull")) == "unknown_ground"
    )
    moderate(actor=all_of.commissioner, comment=comment)
    for ground in ("", "repeated"):
        again = lambda g=ground: moderate(actor=all_of.commissioner, comment=comment, ground=g)  # noqa: E731
        assert code(Conflict, again) == "already_moderated"


def test_what_nobody_confirmed_is_not_there_to_moderate(all_of: Parties, version: TariffVersion) -> None:
    comment = all_of.comment(version)
    assert code(NotFound, lambda: services.moderate(actor=all_of.commissioner, comment=comment)) == "not_found"


def test_comments_are_settled_after_the_end_too(all_of: Parties, version: TariffVersion, clock: Clock) -> None:
    comment = waiting(all_of, version)
    clock.at(CLOSES + DAY)
    assert services.moderate(actor=all_of.commissioner, comment=comment).status == "published"


def test_the_society_answers_a_published_comment_once(all_of: Parties, version: TariffVersion) -> None:
    comment = waiting(all_of, version)
    with pytest.raises(NotFound):
        services.answer(actor=all_of.manager, comment=comment, text="No.")
    services.moderate(actor=all_of.commissioner, comment=comment)
    for actor in (all_of.commissioner, people.actor(people.organisation("OTHER", "society"), "licensing"), NOBODY):
        with pytest.raises(Forbidden):
            services.answer(actor=actor, comment=comment, text="No.")
    assert code(Refusal, lambda: services.answer(actor=all_of.manager, comment=comment, text=" ")) == "no_answer"
    answered = services.answer(actor=all_of.manager, comment=comment, text="We looked again.")
    assert (answered.answer, answered.answered_at is not None) == ("We looked again.", True)
    assert (
        code(Conflict, lambda: services.answer(actor=all_of.manager, comment=comment, text="More."))
        == "already_answered"
    )
    assert verbs(comment)[-1] == "answered"


# Files


def docx(*more: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in ("[Content_Types].xml", "word/document.xml", *more):
            file.writestr(name, "<x/>")
    return out.getvalue()


GOOD = {
    "a.pdf": b"%PDF-1.7 ...",
    "a.png": b"\x89PNG\r\n\x1a\n....",
    "a.JPG": b"\xff\xd8\xff\xe0",
    "a.jpeg": b"\xff\xd8\xff\xe1",
    "의견.txt": "의견".encode(),
    "a.docx": docx(),
    "a.hwp": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....",
}


@pytest.mark.parametrize("name", GOOD)
def test_files_of_these_kinds_are_kept_as_sent(all_of: Parties, version: TariffVersion, name: str) -> None:
    all_of.comment(version, creator()[1], files=[(name, io.BytesIO(GOOD[name]))])
    kept = Attachment.objects.get()
    assert kept.name == name
    assert path_of(kept.file).read_bytes() == GOOD[name]
    assert kept.file.organisation == all_of.body


@pytest.mark.parametrize(
    ("name", "content", "said_code"),
    [
        ("a.exe", b"MZ", "file_kind"),
        ("a.html", b"<script>", "file_kind"),
        ("a.svg", b"<svg/>", "file_kind"),
        ("pdf", b"%PDF-", "file_kind"),
        ("a.pdf.exe", b"%PDF-", "file_kind"),
        ("a.pdf", b"<html>", "file_content"),
        ("a.png", b"%PDF-1.7", "file_content"),
        ("a.txt", b"\xff\xfe\x00\x00", "file_content"),
        ("a.txt", b"a\x00b", "file_content"),
        ("a.docx", b"PK\x03\x04 not a zip", "file_content"),
        ("a.docx", docx("word/vbaProject.bin"), "file_content"),
        ("a.txt", b"", "empty_file"),
        ("a.txt", b"x" * (MOST_BYTES + 1), "file_too_large"),
    ],
)
def test_other_files_are_refused_and_nothing_is_kept(
    all_of: Parties, version: TariffVersion, name: str, content: bytes, said_code: str
) -> None:
    files = [("a.pdf", io.BytesIO(b"%PDF-1.7")), (name, io.BytesIO(content))]
    assert code(Refusal, lambda: all_of.comment(version, creator()[1], files=files)) == said_code
    assert not Comment.objects.exists() and not StoredFile.objects.exists()


def test_five_files_at_most_and_the_same_one_once(all_of: Parties, version: TariffVersion) -> None:
    files = [(f"{n}.txt", io.BytesIO(str(n).encode())) for n in range(6)]
    assert code(Refusal, lambda: checked(files)) == "too_many_files"
    twice = [("a.txt", io.BytesIO(b"x")), ("b.txt", io.BytesIO(b"x"))]
    assert len(checked(twice)) == 1
    assert len(checked([("x.txt", io.BytesIO(b"x" * MOST_BYTES))])) == 1, "ten megabytes are not too many"


def test_a_hostile_file_name_is_only_ever_shown(all_of: Parties, version: TariffVersion) -> None:
    all_of.comment(version, creator()[1], files=[("../../etc/\u202efdp.<b>.txt", io.BytesIO(b"x"))])
    assert Attachment.objects.get().name == "fdp.<b>.txt"


# Reminders and forgetting


@pytest.mark.parametrize(
    ("day", "said_words"),
    [
        (CLOSES - 8 * DAY, None),
        (CLOSES - 7 * DAY, "closes on 2026-12-23"),
        (CLOSES - DAY, "closes on 2026-12-23"),
        (CLOSES, None),
        (DECIDE_BY - 15 * DAY, None),
        (DECIDE_BY - 14 * DAY, "due by 2027-01-31"),
        (DECIDE_BY - 3 * DAY, "due by 2027-01-31"),
        (DECIDE_BY, "due by 2027-01-31"),
        (DECIDE_BY + DAY, "was due by 2027-01-31"),
    ],
)
def test_the_rate_body_is_reminded_of_what_closes_and_of_what_is_due_once(
    all_of: Parties, version: TariffVersion, day: datetime.date, said_words: str | None
) -> None:
    before = Notice.objects.count()
    for _again in range(2):
        reminding.remind(today=day)
    subjects = list(Notice.objects.order_by("pk").values_list("subject", "user")[before:])
    assert len(subjects) == (1 if said_words else 0), subjects
    if said_words:
        assert said_words in subjects[0][0] and subjects[0][1] == all_of.decider.pk


def test_fourteen_three_and_overdue_are_told_apart_and_a_decision_ends_it(
    all_of: Parties, version: TariffVersion, clock: Clock
) -> None:
    before = Notice.objects.count()
    day = CLOSES
    while day < DECIDE_BY + 10 * DAY:
        reminding.remind(today=day)
        day += DAY
    assert Notice.objects.count() - before == 3
    clock.at(DECIDE_BY)
    services.determine(actor=all_of.commissioner, version=version, reasons="x")
    after = Notice.objects.count()
    assert reminding.remind(today=DECIDE_BY + 30 * DAY) == 0
    assert Notice.objects.count() == after


def test_what_nobody_confirmed_is_forgotten_with_its_files(
    all_of: Parties, version: TariffVersion, clock: Clock
) -> None:
    files = [("a.txt", io.BytesIO(b"only mine"))]
    forgotten, kept = (
        all_of.comment(version, files=files),
        all_of.comment(version, creator()[1], files=[("b.txt", io.BytesIO(b"b"))]),
    )
    path = object_path(forgotten.attachments.get().file.sha256)
    now = forgotten.created_at
    assert commenting.forget_unconfirmed(now=now + 29 * DAY) == 0
    assert path.exists()
    assert commenting.forget_unconfirmed(now=now + 31 * DAY) == 1
    assert list(Comment.objects.all()) == [kept]
    assert not path.exists()
    assert Attachment.objects.count() == StoredFile.objects.count() == 1
