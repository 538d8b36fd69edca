"""Money that waits: its age equals the ledger, its clock runs from law or terms, it is searched for, listed, warned of, and given up only
by a documented resolution of two people (domain: "Clocks are data"; EU 2014/26 art. 13)."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.notices.models import Notice
from licensing.claims.models import Unmatched
from royalties.billing.models import Receipt
from royalties.distribution.models import ExpiredAllocation, Run
from royalties.ledger import services as ledger
from royalties.outstanding import core, services
from royalties.outstanding.models import (
    Attempt,
    ClockTerms,
    ExpiryWarning,
    NoticedAllocation,
    NoticeEntry,
    Outstanding,
    PublicNotice,
    Resolution,
)
from royalties.outstanding.services.terms import law_and_own
from tests.royalties.test_releases import balances, mandate, mean, nothing_is_wrong, posted
from tests.royalties.world import JULY, Owned, Used, World, make_world, staff

pytestmark = pytest.mark.django_db
X, Y, OWN = "domain:x.example", "domain:y.example", "proprietary:7"
TERMS: dict[str, Any] = {
    "terms": "HOUSE", "version": 1, "valid_from": "2026-01-01", "valid_to": None, "jurisdiction": "KR", "year_end_month": 12,
    "rules": [{"name": "KEPT", "reasons": ["*"], "starts_from": "notice", "steps": {"expire": 36}},
              {"name": "DISPUTED", "reasons": ["disputed"], "starts_from": "allocation", "steps": {"expire": 120}}],
}  # fmt: skip


@pytest.fixture
def world() -> World:
    """₩1,000: A has 300; 100 of a disputed share; 400, 100 and 100 wait for two unknown sites and a firm's own number."""
    made = make_world()
    made.rule(deductions=[])
    made.own(Owned("A", "H-A", 750_000), Owned("A", "H-D", 250_000, disputed=True), Owned("N", "H-N", 1_000_000))
    mandate(made, "H-A", "H-D", "H-N")
    made.receive(made.bill(made.declare([Used("A", 4), Used(X, 4), Used(Y, 1), Used(OWN, 1)]), net=1_000), 1_000)
    posted(made)
    return made


def terms(world: World, **changes: Any) -> ClockTerms:
    made = services.import_terms(actor=world.computer, society=world.society, document=TERMS | changes)
    services.ask_terms(actor=world.computer, terms=made)
    return services.decide_terms(actor=world.approver, terms=made, approve=True)


def later(monkeypatch: pytest.MonkeyPatch, day: datetime.date) -> None:
    """Let it be noon in Seoul on another day."""
    noon = datetime.datetime.combine(day, datetime.time(3), datetime.UTC)
    monkeypatch.setattr(timezone, "now", lambda: noon)


def clocks(world: World) -> dict[str, tuple[Any, ...]]:
    rows = Outstanding.objects.filter(society=world.society)
    return {row.value or row.reason: (row.rule, row.starts_on, row.expires_on) for row in rows}


def after(day: datetime.date, months: int) -> datetime.date:
    return core.months_after(day + datetime.timedelta(days=1), months)


# Age


def test_the_report_equals_the_ledger_to_the_won(world: World) -> None:
    report = services.ageing(world.society.pk)
    assert report.holds
    assert {(each.kind, each.ledger, each.listed) for each in report.sums} == {
        ("held", 100, 100),
        ("suspense", 600, 600),
        ("payable", 300, 300),
    }
    assert {(line.kind, line.reason, line.total, line.items) for line in report.lines} == {
        ("held", "disputed", 100, 1), ("suspense", "unmatched", 600, 3), ("payable", "no_payee", 300, 1),
    }  # fmt: skip
    assert balances(world)["held"] + balances(world)["suspense"] == 700


def test_money_ages_from_its_first_distribution_and_payable_money_from_the_last_credits(world: World) -> None:
    today = timezone.localdate()
    mean(world, X, "N")  # 400 leave suspense: payable to H-N
    posted(world)
    book: dict[str, Any] = {"society_id": world.society.pk, "currency": "KRW"}
    paid = [
        ledger.Transfer(
            ledger.account(kind="payable", owner_id=world.holders()["H-A"], **book),
            ledger.account(kind="bank", owner_id=None, **book),
            250,
        )
    ]
    ledger.post(society_id=world.society.pk, kind="payout", key="paid", effective_on=today, transfers=paid)
    in_a_year = services.ageing(world.society.pk, on=today + datetime.timedelta(days=400))
    assert in_a_year.holds
    assert {(line.reason, line.amounts[3], line.total) for line in in_a_year.lines} == {
        ("disputed", 100, 100), ("unmatched", 200, 200), ("no_payee", 450, 450),
    }  # fmt: skip


def test_of_several_credits_the_latest_are_unpaid(world: World) -> None:
    """1,000 on one day and 500 later, 900 paid: 500 of the later day and 100 of the first are unpaid."""
    holder, society = world.holders()["H-N"], world.society.pk
    book: dict[str, Any] = {"society_id": society, "currency": "KRW"}
    payable, suspense, bank = (
        ledger.account(kind=kind, owner_id=owner, **book)
        for kind, owner in (("payable", holder), ("suspense", None), ("bank", None))
    )
    today = timezone.localdate()
    for key, days, debit, credit, amount in (
        ("a", 400, suspense, payable, 300), ("b", 10, suspense, payable, 200), ("c", 5, payable, bank, 350),
    ):  # fmt: skip
        ledger.post(
            society_id=society, kind="other", key=key, effective_on=today - datetime.timedelta(days=days),
            transfers=[ledger.Transfer(debit, credit, amount)],
        )  # fmt: skip
    line = next(
        line
        for line in services.ageing(society).lines
        if line.kind == "payable" and line.items and line.amounts[0] == 450
    )
    assert (
        line.amounts[0] == 300 + 150 and line.total == 450
    )  # 300 of H-A's run, and 150 of the 200; nothing of the 300 is left


def test_the_report_and_the_amounts_as_files(world: World) -> None:
    told = list(services.ageing_lines(services.ageing(world.society.pk)))
    assert told[0].startswith("currency,account,reason,items,days 0-90") and told[-1].strip().endswith(",300")
    items = list(services.item_lines(world.society.pk))
    assert len(items) == 5 and any("domain:x.example" in line and ",400,KRW" in line for line in items)


# Clocks


def test_without_terms_no_clock_runs(world: World) -> None:
    assert set(clocks(world).values()) == {(None, None, None)}


def test_terms_are_put_into_force_by_a_second_person(world: World) -> None:
    made = services.import_terms(actor=world.computer, society=world.society, document=TERMS)
    services.ask_terms(actor=world.computer, terms=made)
    with pytest.raises(Forbidden):
        services.decide_terms(actor=world.computer, terms=made, approve=True)
    services.decide_terms(actor=world.approver, terms=made, approve=True)
    found = clocks(world)
    assert found["x.example"] == ("KEPT", None, None)  # it starts with a notice
    day = timezone.localdate()
    assert found["disputed"] == ("DISPUTED", day + datetime.timedelta(days=1), after(day, 120))
    with pytest.raises(Conflict, match="another content"):
        services.import_terms(actor=world.computer, society=world.society, document=TERMS | {"year_end_month": 6})


def test_a_new_version_ends_the_one_before(world: World) -> None:
    first = terms(world)
    second = terms(world, version=2, valid_from="2026-07-01")
    first.refresh_from_db()
    assert (first.valid.upper, second.valid.lower) == (JULY, JULY)
    assert clocks(world)["x.example"][0] == "KEPT"  # collected in April: the version of then


def test_law_governs_money_of_a_society_in_the_union(world: World) -> None:
    terms(world, jurisdiction="EU", rules=[])
    received = Receipt.objects.get().received_on
    year = datetime.date(received.year + 1, 1, 1)
    assert set(clocks(world).values()) == {("EU-COLLECTED", year, core.months_after(year, 36))}


def test_remuneration_by_law_is_told_by_its_tariff(world: World) -> None:
    terms(world, remuneration_tariffs=[world.licence.tariff.ref])
    assert clocks(world)["x.example"][0] == "KR-REMUNERATION"
    terms(world, version=2, valid_from="2026-02-01")
    assert clocks(world)["x.example"][0] == "KEPT"


def test_the_view_says_what_the_rules_say(world: World) -> None:
    """Every amount's clock by the pure rules, under each kind of terms, before and after a notice."""
    documents: list[dict[str, Any]] = [
        {}, {"jurisdiction": "EU", "rules": [], "year_end_month": 3}, {"jurisdiction": "EU", "year_end_month": 4},
        {"remuneration_tariffs": [world.licence.tariff.ref]}, {"rules": []},
    ]  # fmt: skip
    received = Receipt.objects.get().received_on
    for number, changes in enumerate(documents, 1):
        with transaction.atomic():
            made = terms(world, **changes)
            for noticed in (False, True):
                if noticed:
                    services.publish_notice(actor=world.computer, society=world.society)
                basis = "remuneration" if made.remuneration_tariffs else "collective"
                for row in Outstanding.objects.filter(society=world.society):
                    rule = core.governing(
                        law_and_own(world.society.pk),
                        jurisdiction=made.jurisdiction,
                        basis=basis,
                        reason=row.reason,
                        on=received,
                    )
                    days = (
                        core.days_of(
                            rule,
                            collected_on=received,
                            allocated_on=row.allocated_on,
                            noticed_on=row.noticed_on,
                            end_month=made.year_end_month,
                        )
                        if rule
                        else core.Days(None)
                    )
                    assert row.rule == (rule.name if rule else None), number
                    assert (
                        core.Days(row.starts_on, row.pay_by, row.inform_by, row.publish_by, row.expires_on) == days
                    ), number
            transaction.set_rollback(True)


# Searching


def test_an_attempt_is_logged_about_a_member_a_work_or_an_identifier_and_stays(world: World) -> None:
    today = timezone.localdate()
    given: dict[str, Any] = {
        "actor": world.computer,
        "society": world.society,
        "channel": "letter",
        "result": "no_answer",
        "made_on": today,
    }
    about = ("H-D", "A", "domain:X.example")
    made = [services.log_attempt(about=each, **given) for each in about]
    assert [(each.holder and each.holder.ref, each.work and each.work.ref, each.value) for each in made] == [
        ("H-D", None, ""), (None, "A", ""), (None, None, "x.example"),
    ]  # fmt: skip
    with pytest.raises(Refusal):
        services.log_attempt(about="nobody", **given)
    with pytest.raises(Refusal, match="today or before"):
        services.log_attempt(about="A", **given | {"made_on": today + datetime.timedelta(days=1)})
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.all().delete()


def test_a_search_gathers_attempts_and_ends_with_a_finding(world: World) -> None:
    today = timezone.localdate()
    search = services.begin_tracing(
        actor=world.computer, society=world.society, title="Heirs", plan="Ask publishers", begun_on=today, until=today
    )
    services.log_attempt(
        actor=world.computer,
        society=world.society,
        about="H-D",
        channel="press",
        result="found",
        made_on=today,
        tracing=search,
    )
    services.close_tracing(actor=world.computer, tracing=search, finding="One found.")
    with pytest.raises(Conflict):
        services.close_tracing(actor=world.computer, tracing=search, finding="Twice.")
    assert search.attempts.count() == 1


# Public lists


def test_a_list_says_what_waits_and_nothing_of_any_firm(world: World) -> None:
    Unmatched.objects.create(
        society=world.society, scheme="domain", value="x.example", title="Poems", creators="Ha", kind="web"
    )
    terms(world)
    notice = services.publish_notice(actor=world.computer, society=world.society)
    entries = NoticeEntry.objects.filter(notice=notice)
    assert sorted((e.title, e.creators, e.identifier, e.reason) for e in entries) == [
        ("", "", "domain:y.example", "unmatched"), ("Poems", "Ha", "domain:x.example", "unmatched"), ("Work A", "", "", "disputed"),
    ]  # fmt: skip
    day = timezone.localdate()
    assert entries.get(title="Poems").expires_on == after(day, 36)  # its clock runs from this list
    assert clocks(world)["x.example"] == ("KEPT", day + datetime.timedelta(days=1), after(day, 36))
    assert clocks(world)["7"] == ("KEPT", None, None)  # a firm's own number is listed nowhere: its clock does not start
    assert services.problems() == []
    with pytest.raises(Conflict, match="today already"):
        services.publish_notice(actor=world.computer, society=world.society)


def test_a_later_list_does_not_start_a_clock_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    terms(world)
    first = services.publish_notice(actor=world.computer, society=world.society)
    noticed = set(NoticedAllocation.objects.values_list("allocation_id", "noticed_on"))
    later(monkeypatch, first.published_on + datetime.timedelta(days=40))
    second = services.publish_notice(actor=world.computer, society=world.society)
    assert (second.number, second.published_on) == (2, first.published_on + datetime.timedelta(days=40))
    assert set(NoticedAllocation.objects.values_list("allocation_id", "noticed_on")) == noticed


def test_a_published_list_stays(world: World) -> None:
    services.publish_notice(actor=world.computer, society=world.society)
    for statement in (
        "UPDATE royalties_noticeentry SET title = 'x'",
        "DELETE FROM royalties_publicnotice",
        "DELETE FROM royalties_noticedallocation",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "ALTER TABLE royalties_noticeentry DISABLE TRIGGER never_changed; UPDATE royalties_noticeentry SET title = 'x'"
        )
    assert [problem["what"] for problem in services.problems()] == ["outstanding.notice"]


def test_who_cannot_be_reached_is_listed_by_name(world: World) -> None:
    today = timezone.localdate()
    services.log_attempt(
        actor=world.computer, society=world.society, about="H-A", channel="letter", result="returned", made_on=today
    )
    notice = services.publish_notice(actor=world.computer, society=world.society)
    assert NoticeEntry.objects.get(notice=notice, reason="no_payee").title == "Holder H-A"


# Warnings


def test_each_amount_is_warned_of_once_for_each_of_the_days(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    terms(world)
    world.member("H-D")
    notice = services.publish_notice(actor=world.computer, society=world.society)
    ends = after(notice.published_on, 36)

    def warned(before: int) -> list[tuple[int, int, int]]:
        later(monkeypatch, ends - datetime.timedelta(days=before))
        services.warn(world.society)
        services.warn(world.society)
        return list(ExpiryWarning.objects.order_by("id").values_list("days", "allocations", "amount"))

    assert warned(181) == []
    assert warned(180) == [(180, 2, 500)]
    assert warned(90) == [(180, 2, 500), (90, 2, 500)]
    assert warned(12) == [(180, 2, 500), (90, 2, 500), (30, 2, 500)]
    assert Notice.objects.filter(user_id=world.approver.user_id, kind="expiry").count() == 3
    assert services.problems() == []


def test_who_is_known_is_told_before_it_expires(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    terms(world)
    holder = world.member("H-D")
    expires = clocks(world)["disputed"][2]
    later(monkeypatch, expires - datetime.timedelta(days=25))
    services.warn(world.society)
    told = Notice.objects.get(user_id=holder.user_id, kind="expiry")
    assert "30 days" in told.subject and told.link == "/money-that-waits/"


# Resolutions


def ask(world: World, **changes: Any) -> Resolution:
    given: dict[str, Any] = {
        "actor": world.computer, "society": world.society, "currency": "KRW", "text": "To the social fund.", "ground": "Terms, art. 17",
        "document": io.BytesIO(b"minutes"), "name": "minutes.pdf",
    }  # fmt: skip
    return services.request_resolution(**given | changes)


def run_out(world: World, monkeypatch: pytest.MonkeyPatch) -> datetime.date:
    """Listed, warned of 30 days ahead, and run out today; returns today."""
    terms(world)
    notice = services.publish_notice(actor=world.computer, society=world.society)
    ends = after(notice.published_on, 36)
    later(monkeypatch, ends - datetime.timedelta(days=30))
    services.warn(world.society)
    later(monkeypatch, ends)
    return ends


def test_only_what_ran_out_was_listed_and_warned_of_can_be_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refusal, match="Nothing fits"):
        ask(world)
    ends = run_out(world, monkeypatch)
    with pytest.raises(Refusal, match="Nothing fits"):
        ask(world, expired_by=ends - datetime.timedelta(days=1))  # the last day is still the holder's
    with pytest.raises(Refusal, match="Nothing fits"):
        ask(world, reason="disputed")
    made = ask(world)
    assert (made.allocations, made.amount, made.status) == (2, 500, "requested")
    with pytest.raises(Refusal, match="Nothing fits"):
        ask(world)  # they are listed in one resolution at a time


def test_what_was_not_warned_of_waits_another_thirty_days(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    terms(world)
    notice = services.publish_notice(actor=world.computer, society=world.society)
    ends = after(notice.published_on, 36)
    later(monkeypatch, ends)
    services.warn(world.society)
    with pytest.raises(Refusal, match="Nothing fits"):
        ask(world)
    later(monkeypatch, ends + datetime.timedelta(days=30))
    assert ask(world).amount == 500


def test_two_people_carry_it_out_in_one_journal_and_everybody_can_read_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_out(world, monkeypatch)
    made = ask(world)
    own = staff(world.society, "own", "administrator")
    other = ask_by = replace(own)  # an administrator who did not ask
    with pytest.raises(Forbidden):
        services.decide_resolution(actor=world.computer, resolution=made, approve=True)
    done = services.decide_resolution(actor=ask_by, resolution=made, approve=True)
    assert (done.status, done.journal.posting_total) == ("executed", 500)
    assert (balances(world)["undistributable"], balances(world)["suspense"], balances(world)["held"]) == (500, 100, 100)
    assert ExpiredAllocation.objects.filter(resolution_id=made.pk).count() == 2
    assert services.ageing(world.society.pk).holds and services.problems() == []
    nothing_is_wrong()
    with pytest.raises(Conflict):
        services.decide_resolution(actor=other, resolution=done, approve=True)
    notice = services.publish_notice(actor=world.computer, society=world.society)
    assert NoticeEntry.objects.filter(notice=notice, state="expired").count() == 2
    assert "To the social fund." in Client().get("/public-notices/").content.decode()
    assert {"resolution.requested", "resolution.executed"} <= set(
        Event.objects.about("resolution", made.pk).values_list("verb", flat=True)
    )


def test_who_asked_does_not_decide_and_a_refusal_moves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run_out(world, monkeypatch)
    both = staff(world.society, "both", "administrator")
    made = ask(world, actor=both)
    with pytest.raises(Forbidden, match="second person"):
        services.decide_resolution(actor=both, resolution=made, approve=True)
    refused = services.decide_resolution(actor=world.approver, resolution=made, approve=False)
    assert (refused.status, refused.journal, balances(world)["suspense"]) == ("refused", None, 600)
    assert ask(world).amount == 500


def test_what_was_claimed_meanwhile_is_not_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run_out(world, monkeypatch)
    made = ask(world)
    mean(world, X, "N")
    posted(world)
    with pytest.raises(Conflict, match="meanwhile"):
        services.decide_resolution(actor=world.approver, resolution=made, approve=True)
    assert not ExpiredAllocation.objects.exists() and Resolution.objects.get().status == "requested"


def test_a_resolution_stays_as_it_was_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run_out(world, monkeypatch)
    ask(world)
    for statement in (
        "UPDATE royalties_resolution SET amount = 1", "DELETE FROM royalties_resolution", "DELETE FROM royalties_resolutionallocation",
        "UPDATE royalties_resolution SET text = 'other'",
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# Who may


def test_a_stranger_finds_nothing_and_a_small_role_may_not(world: World) -> None:
    other = make_world("OTHER", "FIRM")
    auditor = staff(world.society, "audit", "auditor")
    for act, wrong in (
        (lambda: services.publish_notice(actor=other.computer, society=world.society), NotFound),
        (lambda: services.publish_notice(actor=auditor, society=world.society), Forbidden),
        (lambda: services.import_terms(actor=auditor, society=world.society, document=TERMS), Forbidden),
        (lambda: ask(world, actor=other.computer), NotFound),
    ):
        with pytest.raises(wrong):
            act()
    assert not Outstanding.objects.visible_to(other.computer).exists() and not PublicNotice.objects.exists()


# Pages


def browser(user_id: int | None) -> Client:
    client = Client()
    if user_id is not None:
        client.force_login(User.objects.get(pk=user_id))
    return client


def test_pages_of_finance_and_of_everybody(world: World) -> None:
    terms(world)
    one = browser(world.computer.user_id)
    services.log_attempt(
        actor=world.computer,
        society=world.society,
        about="A",
        channel="phone",
        result="found",
        made_on=timezone.localdate(),
    )
    page = one.get("/outstanding/").content.decode()
    assert "₩600" in page and "₩100" in page and "not equal" not in page
    for reason, shown in (("unmatched", 3), ("disputed", 1), ("no_share", 0)):
        assert one.get(f"/outstanding/amounts/?reason={reason}").content.decode().count('Claimable until"') >= shown
    assert "x.example" in one.get("/outstanding/amounts/?q=domain:x.example").content.decode()
    assert "x.example" not in one.get("/outstanding/amounts/?q=domain:y.example").content.decode()
    assert one.get("/outstanding/amounts/?clock=soon&currency=krw").status_code == 200
    for where in ("warnings", "lists", "attempts", "searches", "resolutions", "resolutions/new", "terms", "terms/new"):
        assert one.get(f"/outstanding/{where}/").status_code == 200, where
    assert b"".join(one.get("/outstanding/amounts.csv").streaming_content).count(b"\n") == 5
    assert b"ledger" in b"".join(one.get("/outstanding/ageing.csv").streaming_content)
    assert one.post("/outstanding/lists/publish/").status_code == 302
    notice = PublicNotice.objects.get()
    anybody = browser(None)
    assert "list 1" in anybody.get("/public-notices/").content.decode()
    listed = anybody.get(f"/public-notices/{notice.pk}/").content.decode()
    assert (
        "domain:x.example" in listed
        and notice.sha256 in listed
        and "₩" not in listed
        and world.licensee.name not in listed
    )
    assert "Nothing of that name" in anybody.get(f"/public-notices/{notice.pk}/?q=zzz").content.decode()
    assert anybody.get("/outstanding/").status_code == 302


def test_terms_attempts_and_searches_by_their_forms(world: World) -> None:
    import json

    one, other = browser(world.computer.user_id), browser(world.approver.user_id)
    assert (
        "/year_end_month"
        in one.post("/outstanding/terms/new/", {"text": json.dumps(TERMS | {"year_end_month": 0})}).content.decode()
    )
    assert one.post("/outstanding/terms/new/", {"text": json.dumps(TERMS)}).status_code == 302
    made = ClockTerms.objects.get()
    assert one.post(f"/outstanding/terms/{made.pk}/ask/").status_code == 302
    assert other.post(f"/outstanding/terms/{made.pk}/decide/", {"decision": "approve"}).status_code == 302
    today = timezone.localdate().isoformat()
    assert one.post("/outstanding/searches/", {"title": "Heirs", "begun_on": today, "until": today}).status_code == 302
    attempt = {"about": "H-D", "channel": "email", "result": "no_answer", "made_on": today}
    assert one.post("/outstanding/attempts/", attempt).status_code == 302
    assert "Holder H-D" in one.get("/outstanding/attempts/").content.decode()
    assert one.post("/outstanding/attempts/", attempt | {"about": "zzz"}).status_code == 200


def test_resolutions_by_their_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run_out(world, monkeypatch)
    one, other = browser(world.computer.user_id), browser(world.approver.user_id)
    today = timezone.localdate().isoformat()
    given = {
        "currency": "KRW",
        "expired_by": today,
        "text": "To the fund.",
        "ground": "Art. 17",
        "document": io.BytesIO(b"minutes"),
    }
    assert one.post("/outstanding/resolutions/new/", given).status_code == 302
    made = Resolution.objects.get()
    assert other.post(f"/outstanding/resolutions/{made.pk}/decide/", {"decision": "approve"}).status_code == 302
    made.refresh_from_db()
    assert made.status == "executed"
    assert "₩500" in other.get(f"/outstanding/resolutions/{made.pk}/").content.decode()
    assert b"".join(other.get(f"/outstanding/resolutions/{made.pk}/document/").streaming_content) == b"minutes"


def test_a_creator_reads_why_it_waits_and_what_to_do(world: World) -> None:
    holder, stranger = world.member("H-D"), world.member("H-N")
    mine = browser(holder.user_id)
    assert "Nothing of yours waits" in mine.get("/money-that-waits/").content.decode()  # not published yet
    Run.objects.update(published_at=timezone.now())
    page = mine.get("/money-that-waits/").content.decode()
    assert "₩100" in page and "the share is disputed" in page and "/disputes/" in page
    assert "₩100" not in browser(stranger.user_id).get("/money-that-waits/").content.decode()
