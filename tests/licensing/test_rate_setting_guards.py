"""Attacks past the services, each committed on a connection of its own: the database keeps the procedure by itself."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Refusal
from accounts.notices.models import Notice
from licensing.tariffs import services
from licensing.tariffs.models import Attachment, Comment, Decision, TariffVersion
from tests.accounts import people
from tests.licensing.rate_setting import CLOSES, DAY, TODAY, Clock, Parties, creator, parties
from tests.licensing.tariff_documents import tariff
from tests.together import together


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def all_of(committed_db: Any, clock: Clock) -> Iterator[Parties]:
    yield parties()
    connection.close()


def committed(act: Callable[[], Any]) -> str:
    """What the database says when this is committed by somebody who goes round the services; nothing where it lets it."""

    def attack() -> None:
        with transaction.atomic():
            act()

    [result] = together(attack)
    if isinstance(result, IntegrityError):
        return str(result).splitlines()[0]
    if result is not None:
        raise result
    return ""


def test_the_database_lets_no_society_determine_and_keeps_what_was_published(all_of: Parties, clock: Clock) -> None:
    draft, version = all_of.draft(version=2), all_of.publish()
    other = people.organisation("OTHER", "rate_body")
    versions, comment = TariffVersion.objects, all_of.comment(version, creator()[1])
    now = timezone.now()

    def decided(body: Any, **more: Any) -> Callable[[], Any]:
        fields: dict[str, Any] = {"status": "determined", "determined_by": body, "determined_at": now} | more
        return lambda: versions.filter(pk=version.pk).update(**fields)

    def decision(body: Any, outcome: str, at: datetime.datetime = now) -> Callable[[], Any]:
        result = None if outcome == "refused" else version
        return lambda: Decision.objects.create(
            version=version, body=body, outcome=outcome, reasons="x", result=result, decided_at=at
        )

    attacks = {
        "the society determines": (decided(all_of.society), "never by the society"),
        "a body to which it is not put": (decided(other), "to which it is put"),
        "in force without a decision": (decided(all_of.body), "ends with a decision"),
        "interim without a decision": (decided(all_of.body, status="interim"), "ends with a decision"),
        "refused without a decision": (lambda: versions.filter(pk=version.pk).update(status="refused"), "ends with a decision"),
        "a draft straight into force": (
            lambda: versions.filter(pk=draft.pk).update(status="determined", determined_by=all_of.body, determined_at=now),
            "proposed first",
        ),
        "a decision of the society": (decision(all_of.society, "approved"), "never the society"),
        "a decision of another body": (decision(other, "approved"), "to which it is put"),
        "a decision before everybody was heard": (decision(all_of.body, "approved"), "after its consultation"),
        "a refusal before everybody was heard": (decision(all_of.body, "refused"), "after its consultation"),
        "other reasons": (lambda: versions.filter(pk=version.pk).update(reasons="y"), "cannot be changed"),
        "other rates": (lambda: versions.filter(pk=version.pk).update(document=tariff(minimum="1")), "cannot be changed"),
        "a shorter consultation": (
            lambda: versions.filter(pk=version.pk).update(consultation=(TODAY, TODAY + DAY)), "never shorter",
        ),
        "back to a draft": (lambda: versions.filter(pk=version.pk).update(status="draft"), "does not go"),
        "gone": (lambda: versions.filter(pk=version.pk)._raw_delete("default"), "never deleted"),
        "other words in a comment": (lambda: Comment.objects.filter(pk=comment.pk).update(text="Fine."), "cannot be changed"),
        "another name on a comment": (lambda: Comment.objects.filter(pk=comment.pk).update(name="X"), "cannot be changed"),
        "a comment gone": (lambda: Comment.objects.filter(pk=comment.pk)._raw_delete("default"), "never deleted"),
        "withheld without a ground": (
            lambda: Comment.objects.filter(pk=comment.pk).update(status="withheld"), "published_ground",
        ),
        "a comment after the end": (
            lambda: Comment.objects.create(
                version=version, ref="C-LATE", name="X", standing="public", text="x", status="published",
                received_at=datetime.datetime(2026, 12, 23, 15, 0, tzinfo=datetime.UTC),  # midnight in Seoul
            ),
            "while its consultation is open",
        ),
    }  # fmt: skip
    for name, (attack, said) in attacks.items():
        assert said in committed(attack), name
    last_moment = datetime.datetime(2026, 12, 23, 14, 59, tzinfo=datetime.UTC)
    assert not committed(
        lambda: Comment.objects.create(
            version=version,
            ref="C-LAST",
            name="X",
            standing="public",
            text="x",
            status="waiting",
            received_at=last_moment,
        )
    )
    version.refresh_from_db()
    assert (version.status, version.reasons, Decision.objects.count()) == ("proposed", "Costs rose.", 0)


def test_what_was_decided_and_sent_is_never_rubbed_out(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish()
    comment = all_of.comment(version, creator()[1], files=[("a.txt", io.BytesIO(b"words"))])
    services.moderate(actor=all_of.commissioner, comment=comment)
    clock.at(CLOSES)
    services.refuse(actor=all_of.commissioner, version=version, reason="x")
    attachment = Attachment.objects.get()
    attacks = {
        "reasons": lambda: Decision.objects.update(reasons="y"),
        "decision": lambda: Decision.objects.all().delete(),
        "file": lambda: Attachment.objects.filter(pk=attachment.pk).delete(),
        "its name": lambda: Attachment.objects.filter(pk=attachment.pk).update(name="b.txt"),
        "one more": lambda: Attachment.objects.create(
            comment=comment, file=attachment.file, name="c.txt", media_type="text/plain"
        ),
        "taken back": lambda: Comment.objects.filter(pk=comment.pk).update(status="withheld", ground="repeated"),
    }
    for name, attack in attacks.items():
        assert committed(attack), name


def test_the_record_of_the_procedure_is_not_emptied(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish()
    comment = all_of.comment(version, creator()[1], files=[("a.txt", io.BytesIO(b"words"))])
    services.moderate(actor=all_of.commissioner, comment=comment)
    clock.at(CLOSES)
    services.refuse(actor=all_of.commissioner, version=version, reason="x")
    for table in ("decision", "comment", "attachment", "tariffversion"):
        emptied = committed(lambda table=table: raw(f"TRUNCATE licensing_{table} CASCADE"))
        assert "never emptied" in emptied or "written once" in emptied, table
    assert (Decision.objects.count(), Attachment.objects.count()) == (1, 1)


def test_a_published_tariff_stays_its_society_s_in_its_currency(all_of: Parties, clock: Clock) -> None:
    """A draft may still be renamed; what was published is found where it was."""
    draft = all_of.draft()
    assert committed(lambda: raw("UPDATE licensing_tariff SET ref = 'OTHER-NAME'")) == ""
    raw("UPDATE licensing_tariff SET ref = %s", [draft.tariff.ref])
    all_of.publish(draft)
    other = people.organisation("OTHER-SOCIETY", "society")
    for column, value in (("society_id", other.pk), ("ref", "OTHER-NAME"), ("currency", "USD")):
        change = f"UPDATE licensing_tariff SET {column} = %s"
        assert "stays its society" in committed(lambda c=change, v=value: raw(c, [v])), column
    assert committed(lambda: raw("UPDATE licensing_tariff SET name = 'Another title'")) == ""


def raw(sql: str, values: Sequence[Any] = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_a_proposal_is_published_once_by_two_at_once(all_of: Parties) -> None:
    version = all_of.draft()
    results = together(*[lambda: all_of.publish(TariffVersion.objects.get(pk=version.pk))] * 4)
    assert sum(isinstance(result, TariffVersion) for result in results) == 1
    assert {r.code for r in results if isinstance(r, Refusal)} == {"already_published"}
    assert Event.objects.filter(verb="tariff_version.published").count() == 1
    assert Notice.objects.filter(kind="tariff").count() == 1


def test_two_who_decide_at_once_leave_one_decision(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish(all_of.draft(valid_from="2026-01-01"))
    clock.at(CLOSES)
    decider = all_of.commissioner
    text = tariff(valid_from="2026-01-01", minimum="5")
    results = together(
        lambda: services.determine(actor=decider, version=version, reasons="x"),
        lambda: services.amend(actor=decider, version=version, document=text, reasons="x"),
        lambda: services.refuse(actor=decider, version=version, reason="x"),
        lambda: services.withdraw(actor=all_of.manager, version=version, reason="x"),
    )
    assert sum(isinstance(result, TariffVersion) for result in results) == 1, results
    assert all(isinstance(result, (TariffVersion, Conflict)) for result in results)
    version.refresh_from_db()
    assert Decision.objects.count() == (version.status != "withdrawn")


def test_two_proposals_published_and_decided_at_once_price_no_day_twice(all_of: Parties, clock: Clock) -> None:
    drafts = [all_of.draft(version=n, valid_from="2026-01-01", valid_to="2028-01-01") for n in (1, 2)]
    published = together(*[lambda d=d: all_of.publish(d) for d in drafts])
    assert all(isinstance(result, TariffVersion) for result in published)
    clock.at(CLOSES)
    decider = all_of.commissioner
    results = together(*[lambda v=v: services.determine(actor=decider, version=v, reasons="x") for v in published])
    assert sum(isinstance(result, TariffVersion) for result in results) == 1
    assert TariffVersion.objects.filter(status="determined").count() == Decision.objects.count() == 1


def test_a_comment_is_settled_once_by_two_at_once(all_of: Parties) -> None:
    comment = all_of.comment(all_of.publish(), creator()[1])
    results = together(
        *[
            lambda g=g: services.moderate(actor=all_of.commissioner, comment=comment, ground=g)
            for g in ("", "off_topic")
        ]
        * 2
    )
    assert sum(isinstance(result, Comment) for result in results) == 1
    assert Event.objects.filter(verb__in=["comment.published", "comment.withheld"]).count() == 1
