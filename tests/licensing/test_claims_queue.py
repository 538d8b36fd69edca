"""What was declared and matched nothing is added up, decided by people, remembered as rules, and can be taken back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from licensing.claims import services, tasks
from licensing.claims.models import Unmatched
from licensing.claims.services import deciding, refreshing
from licensing.declarations.models import Declaration
from licensing.matching.models import MatchRule
from licensing.matching.services import Candidate
from licensing.repertoire.models import Identifier, Work
from licensing.repertoire.services import save_work
from tests.licensing.claims_world import BY_TITLE, DIARIES, HA, ISBN, OTHER_ISBN, World, accepted, sums, world
from tests.licensing.declaring import declare, lines
from tests.licensing.parties import staff

pytestmark = pytest.mark.django_db
HEADER = "identifier_type,identifier,units,title,creators"


def listed(of: World) -> list[tuple[str, str, int, int]]:
    found = Unmatched.objects.filter(society=of.society).open().order_by("-worth", "id")
    return [(i.scheme, i.value, i.units.get("token", 0), i.worth) for i in found]


def total(of: World) -> dict[str, int]:
    added: dict[str, int] = {}
    for item in Unmatched.objects.filter(society=of.society):
        for unit, units in item.units.items():
            added[unit] = added.get(unit, 0) + units
    return added


def book(of: World) -> Work:
    return Work.objects.get(society=of.society, ref="B")


# Added up


def test_the_most_money_stands_first_and_all_units_are_there() -> None:
    made = world()
    assert [(value, units, worth) for _scheme, value, units, worth in listed(made)] == [
        (ISBN, 5000, 50),
        ("poems.example.org/a", 900, 9),
        (OTHER_ISBN, 700, 7),
        (BY_TITLE, 300, 3),
        ("other-site.example.net", 50, 1),
        ("poems.example.org/b", 100, 1),
    ]
    assert total(made) == sums(made.society) == {"token": 7050}


def test_an_item_says_what_the_lines_call_it() -> None:
    item = world().item()
    assert (item.title, item.creators, item.kind) == ("The Vegetarian Diaries", "Kim Ha", "book")
    assert (item.lines, item.declarations, item.currency) == (1, 1, "KRW")
    assert item.first_day == item.last_day == dt.date(2026, 3, 31)


def test_looking_twice_changes_nothing() -> None:
    made = world()
    before = list(Unmatched.objects.order_by("id").values())
    assert services.refresh_items(made.society) is False
    refreshing.QueueLook.objects.all().delete()
    assert services.refresh_items(made.society) is True
    assert list(Unmatched.objects.order_by("id").values()) == before


def test_several_declarations_add_up_and_the_task_finds_them() -> None:
    made = world()
    accepted(made.firm, [("isbn", ISBN, 11, "Another name", "")])
    assert tasks.refresh() == 1 and tasks.refresh() == 0
    item = made.item()
    assert (item.units, item.lines, item.declarations) == ({"token": 5011}, 2, 2)
    assert total(made) == sums(made.society)


def test_what_an_amended_declaration_no_longer_says_no_longer_counts() -> None:
    made = world()
    Declaration.objects.filter(pk=made.declaration.pk).update(status="superseded")
    accepted(made.firm, [("isbn", ISBN, 40, DIARIES, HA)], supersedes=made.declaration)
    services.refresh_items(made.society)
    assert [(value, units) for _scheme, value, units, _worth in listed(made)] == [(ISBN, 40)]
    assert total(made) == sums(made.society) == {"token": 40}
    gone = made.item("poems.example.org/a")
    assert (gone.lines, gone.units, gone.worth, gone.first_day) == (0, {}, 0, None)


def test_a_sandbox_declaration_and_one_not_accepted_do_not_count() -> None:
    made = world()
    accepted(made.firm, [("isbn", ISBN, 9, "", "")], sandbox=True)
    accepted(made.firm, [("isbn", ISBN, 9, "", "")], status="submitted")
    assert services.refresh_items(made.society) is False
    assert total(made) == {"token": 7050}


def test_a_file_that_is_declared_and_accepted_reaches_the_queue() -> None:
    made = world([])
    data = lines(f"isbn,{ISBN},5000,{DIARIES},{HA}", f",,300,{DIARIES},{HA}", header=HEADER)
    declared = declare(made.firm, data, submit=True)
    assert declared.status == "accepted"
    services.refresh_items(made.society)
    assert {(value, units) for _scheme, value, units, _worth in listed(made)} == {(ISBN, 5000), (BY_TITLE, 300)}
    assert made.item().alike == made.item(BY_TITLE).alike != ""


def test_flat_fees_rest_on_lines_and_prices_a_unit_on_units() -> None:
    made = world()
    fee = {
        "amount": 200, "currency": "KRW", "adjustments": [],
        "lines": [{"name": "a", "amount": 70, "unit": "token"}, {"name": "b", "amount": 30, "unit": ""}],
    }  # fmt: skip
    Declaration.objects.filter(pk=made.declaration.pk).update(fee=fee)
    refreshing.QueueLook.objects.all().delete()
    services.refresh_items(made.society)
    # 140 on 8,050 tokens and 60 on 7 lines: 5,000 × 140 / 8,050 + 60 / 7 = 95.53 → 96
    assert made.item().worth == 96


ROWS = st.dictionaries(
    st.tuples(
        st.sampled_from([("isbn", ISBN), ("domain", "a.example.net"), ("title", "t / x"), ("doi", "10.1/x")]),
        st.sampled_from(["token", "character"]),
    ),
    st.integers(1, 10**15),
    max_size=8,
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(ROWS)
def test_sums_of_items_are_sums_of_rows_however_large(once: World, declared: dict[Any, int]) -> None:
    for unit in ("token", "character"):
        of_unit = [(*name, units, "", "") for (name, its), units in declared.items() if its == unit]
        accepted(once.firm, of_unit, unit=unit)
    services.refresh_items(once.society)
    assert total(once) == sums(once.society)


@pytest.fixture
def once() -> World:
    return world()


# What it means today


def test_an_item_that_the_register_knows_since_is_matched() -> None:
    made = world()
    Identifier.objects.create(society=made.society, work=book(made), scheme="domain", value="poems.example.org")
    services.refresh_items(made.society)
    assert {made.item(f"poems.example.org/{page}").status for page in "ab"} == {"matched"}
    Identifier.objects.filter(value="poems.example.org").delete()
    services.refresh_items(made.society)
    assert made.item("poems.example.org/a").status == "open"


def test_identifiers_that_disagree_are_a_conflict() -> None:
    made = world()
    save_work(actor=SYSTEM, society=made.society, ref="X", kind="book", title="X", identifiers=["isbn:9780140449136"])
    said = "isbn:9780306406157;isbn:9780140449136"
    Unmatched.objects.create(society=made.society, scheme="several", value=said, kind="book", lines=1)
    services.settle(made.society.pk)
    assert made.item(said).conflict and made.item(said).status == "open"
    services.decide(actor=made.staff(), item=made.item(said), work=book(made))
    assert (made.item(said).conflict, made.item(said).status) == (False, "matched")


# Decided


def test_a_decision_is_a_rule_with_evidence_and_can_be_taken_back() -> None:
    made, item = world(), None
    actor = made.staff()
    services.decide(actor=actor, item=made.item(), work=book(made), reason="the same edition")
    rule = MatchRule.objects.get()
    item = made.item()
    assert (item.status, item.rule, rule.work, rule.source) == ("matched", rule, book(made), "person")
    assert Event.objects.about("match_rule", rule.pk).filter(verb="match_rule.made").exists()

    services.undo(actor=actor, rule=rule, reason="another book")
    item, rule = made.item(), MatchRule.objects.get()
    assert (item.status, item.rule, rule.withdrawn_because) == ("open", None, "another book")
    services.decide(actor=actor, item=item, work=None)
    assert made.item().status == "refused"
    assert listed(made)[0][1] != ISBN


def test_taking_back_needs_a_reason_and_happens_once() -> None:
    made = world()
    services.decide(actor=made.staff(), item=made.item(), work=None)
    rule, again = MatchRule.objects.get(), made.staff("administrator")
    with pytest.raises(Refusal):
        services.undo(actor=again, rule=rule, reason=" ")
    services.undo(actor=again, rule=rule, reason="wrong")
    with pytest.raises(Conflict):
        services.undo(actor=again, rule=rule, reason="wrong")


def test_the_same_for_all_like_it_says_how_many_and_how_much_before() -> None:
    made = world()
    assert deciding.alike(made.item()) == deciding.Alike(items=2, worth=10)  # by another number, and by title alone
    assert deciding.alike(made.item("poems.example.org/a")) == deciding.Alike(items=1, worth=1)
    assert deciding.alike(made.item("other-site.example.net")) == deciding.Alike(items=0, worth=0)
    done = services.decide(actor=made.staff(), item=made.item(), work=book(made), with_alike=True)
    assert len(done) == 3 == MatchRule.objects.in_force().filter(work=book(made)).count()
    assert {value for _scheme, value, _units, _worth in listed(made)} == {
        "poems.example.org/a", "poems.example.org/b", "other-site.example.net",
    }  # fmt: skip


def test_what_somebody_claims_is_not_decided_along() -> None:
    made = world()
    made.claim(item=made.item(OTHER_ISBN))
    assert deciding.alike(made.item()).items == 1
    services.decide(actor=made.staff(), item=made.item(), work=None, with_alike=True)
    assert made.item(OTHER_ISBN).status == "open"
    with pytest.raises(Conflict, match="claim"):
        services.decide(actor=made.staff("administrator"), item=made.item(OTHER_ISBN), work=None)


def test_a_new_work_is_on_record_and_matched() -> None:
    made = world()
    suggested = deciding.suggested(made.item())
    assert suggested["identifiers"] == f"isbn:{ISBN}"
    work, done = services.new_work(
        actor=made.staff(), item=made.item(), ref="NEW-1", kind="book", title=suggested["title"], creators="Kim Ha",
        identifiers=[suggested["identifiers"]],
    )  # fmt: skip
    assert [each.value for each in done] == [ISBN]
    assert made.item().status == "matched" and str(work.identifiers.get()) == f"isbn:{ISBN}"


def test_only_the_societys_own_people_of_the_repertoire_decide() -> None:
    made = world()
    with pytest.raises(Forbidden):
        services.decide(actor=made.staff("finance"), item=made.item(), work=None)
    with pytest.raises(NotFound):
        services.decide(actor=staff(made.firm.licensee, "works.import"), item=made.item(), work=None)
    assert not MatchRule.objects.exists() and made.item().status == "open"


def test_a_decided_item_is_not_decided_over() -> None:
    made = world()
    services.decide(actor=made.staff(), item=made.item(), work=book(made))
    with pytest.raises(Conflict, match="Book"):
        services.decide(actor=made.staff("administrator"), item=made.item(), work=None)
    assert MatchRule.objects.in_force().get().work == book(made)


# Candidates


def test_candidates_are_sought_once_for_a_state_of_the_register(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    asked: list[str] = []

    def candidates(society: int, items: Any, limit: int) -> list[list[Candidate]]:
        asked.extend(value for _scheme, value, _title, _creators in items)
        return [[Candidate(book(made).pk, Decimal("0.91"), ("the same title",))] for _item in items]

    monkeypatch.setattr(refreshing.matching, "candidates", candidates)
    assert services.seek_candidates(made.society, limit=2) == 2 and asked == [ISBN, "poems.example.org/a"]
    assert services.seek_candidates(made.society) == 4 and services.seek_candidates(made.society) == 0
    assert made.item().candidates == [{"work": book(made).pk, "score": "0.91", "why": ["the same title"]}]
    save_work(actor=SYSTEM, society=made.society, ref="NEW", kind="book", title="New")
    assert services.seek_candidates(made.society) == 6


def test_what_only_the_register_says_otherwise_is_asked_in_its_time() -> None:
    made = world()
    Identifier.objects.create(society=made.society, work=book(made), scheme="isbn", value=ISBN)
    assert tasks.refresh() == 0 and made.item().status == "open"
    refreshing.QueueLook.objects.update(looked_at=timezone.now() - refreshing.PATIENCE)
    assert tasks.refresh() == 1 and made.item().status == "matched"
