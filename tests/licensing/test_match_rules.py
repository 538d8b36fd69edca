"""Rules say what lines mean, before the register; they are withdrawn, never changed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.matching import services
from licensing.matching.core import several, title_key
from licensing.matching.models import MatchRule
from licensing.matching.services.deciding import Guess
from licensing.repertoire.models import Identifier, RepertoireRevision, Work, WorkAlias
from tests.licensing.parties import organisation, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("SOCIETY", "society")


def work(society: Organisation, ref: str, *identifiers: tuple[str, str], **fields: str) -> Work:
    made = Work.objects.create(society=society, ref=ref, kind="book", **({"title": ref} | fields))
    for scheme, value in identifiers:
        Identifier.objects.create(society=society, work=made, scheme=scheme, value=value)
    return made


def meaning(society: Organisation, scheme: str, value: str) -> int | None:
    services.refresh_titles(society.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT licensing_meaning(%s, %s, %s)", [society.pk, scheme, value])
        return cursor.fetchone()[0]


def decide(society: Organisation, value: str, work: Work | None, **more) -> MatchRule:
    return services.decide(actor=SYSTEM, society=society, scheme="isbn", value=value, work=work, **more)


def test_a_rule_goes_before_the_register_until_it_is_withdrawn(society):
    registered, decided = work(society, "A", ("isbn", "1")), work(society, "B")
    assert meaning(society, "isbn", "1") == registered.pk
    rule = decide(society, "1", decided, reason="The cover says so.")
    assert meaning(society, "isbn", "1") == decided.pk
    services.withdraw(actor=SYSTEM, rule=rule, reason="It was the other one.")
    assert meaning(society, "isbn", "1") == registered.pk


def test_a_rule_may_say_that_nothing_of_the_society_is_meant(society):
    work(society, "A", ("isbn", "1"))
    decide(society, "1", None)
    assert meaning(society, "isbn", "1") is None


def test_another_decision_replaces_the_one_in_force_and_both_are_kept(society):
    first, second = work(society, "A"), work(society, "B")
    before = decide(society, "1", first)
    after = decide(society, "1", second)
    before.refresh_from_db()
    assert before.withdrawn_at is not None
    assert list(MatchRule.objects.in_force()) == [after]
    assert decide(society, "1", second) == after
    assert list(Event.objects.filter(object_kind="match_rule").values_list("verb", flat=True).order_by("id")) == [
        "match_rule.made", "match_rule.withdrawn", "match_rule.made",
    ]  # fmt: skip


def test_a_rule_is_withdrawn_once_and_with_a_reason(society):
    rule = decide(society, "1", work(society, "A"))
    with pytest.raises(Refusal, match="Say why"):
        services.withdraw(actor=SYSTEM, rule=rule, reason=" ")
    services.withdraw(actor=SYSTEM, rule=rule, reason="wrong")
    with pytest.raises(Conflict):
        services.withdraw(actor=SYSTEM, rule=rule, reason="wrong")


def test_only_the_societys_people_decide_and_only_about_its_own_works(society):
    other = organisation("OTHER", "society")
    mine, theirs = work(society, "A"), work(other, "A")
    with pytest.raises(NotFound):
        decide(society, "1", theirs)
    with pytest.raises(Forbidden):
        services.decide(actor=staff(society), society=society, scheme="isbn", value="1", work=mine)
    with pytest.raises(NotFound):
        services.decide(actor=staff(other, "works.import"), society=society, scheme="isbn", value="1", work=mine)
    assert not MatchRule.objects.exists()


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE licensing_matchrule SET work_id = NULL",
        "UPDATE licensing_matchrule SET value = '2'",
        "UPDATE licensing_matchrule SET value = '2', withdrawn_at = now()",
        "UPDATE licensing_matchrule SET made_by = 'nobody'",
        "DELETE FROM licensing_matchrule",
        "TRUNCATE licensing_matchrule CASCADE",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_rule(society, attack):
    decide(society, "1", work(society, "A"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else their waiting checks refuse to truncate
        with pytest.raises(DatabaseError, match="rule of matching"), transaction.atomic():
            cursor.execute(attack)


def test_the_database_refuses_to_bring_a_withdrawn_rule_back(society):
    rule = decide(society, "1", work(society, "A"))
    services.withdraw(actor=SYSTEM, rule=rule, reason="wrong")
    with pytest.raises(DatabaseError, match="only ever withdrawn"), transaction.atomic():
        MatchRule.objects.filter(pk=rule.pk).update(withdrawn_at=None)
    with pytest.raises(DatabaseError, match="only ever withdrawn"), transaction.atomic():
        MatchRule.objects.filter(pk=rule.pk).update(withdrawn_because="of something else")


def test_every_change_of_what_lines_mean_renews_the_state_of_the_register(society):
    one, other = work(society, "A"), work(society, "B")
    states = [RepertoireRevision.objects.state(society.pk)]
    rule = decide(society, "1", one)
    states.append(RepertoireRevision.objects.state(society.pk))
    services.withdraw(actor=SYSTEM, rule=rule, reason="wrong")
    states.append(RepertoireRevision.objects.state(society.pk))
    WorkAlias.objects.create(society=society, work=one, title="Another")
    states.append(RepertoireRevision.objects.state(society.pk))
    Work.objects.filter(pk=one.pk).update(merged_into=other)
    states.append(RepertoireRevision.objects.state(society.pk))
    assert len(set(states)) == len(states)


def test_what_the_matcher_is_sure_of_never_replaces_a_decision(society):
    one, other = work(society, "A"), work(society, "B")
    rule = services.decide(actor=SYSTEM, society=society, scheme="title", value="x", work=one)
    guesses = [Guess("title", v, other.pk, Decimal("0.9990"), "same title but for the subtitle") for v in ("x", "y")]
    assert services.remember(society=society, guesses=guesses) == 1
    assert services.remember(society=society, guesses=guesses) == 0
    assert meaning(society, "title", "x") == rule.work_id
    guessed = MatchRule.objects.get(value="y")
    assert (guessed.source, guessed.work_id, guessed.score) == ("matcher", other.pk, Decimal("0.9990"))
    services.withdraw(actor=SYSTEM, rule=guessed, reason="It is not.")
    assert meaning(society, "title", "y") is None


def test_identifiers_of_a_merged_work_mean_the_one_that_survives(society):
    first, second, third = work(society, "A", ("isbn", "1")), work(society, "B"), work(society, "C")
    Work.objects.filter(pk=first.pk).update(merged_into=second)
    Work.objects.filter(pk=second.pk).update(merged_into=third)
    assert meaning(society, "isbn", "1") == third.pk
    with pytest.raises(DatabaseError, match="into itself"), transaction.atomic():
        Work.objects.filter(pk=third.pk).update(merged_into=first)
    stranger = work(organisation("OTHER", "society"), "A")
    with pytest.raises(DatabaseError, match="same society"), transaction.atomic():
        Work.objects.filter(pk=third.pk).update(merged_into=stranger)


@pytest.mark.parametrize("asked", ["The Great Gatsby", "Great Gatsby, The", "GREAT GATSBY"])
def test_a_title_with_its_creator_finds_the_one_work_so_named(society, asked):
    gatsby = work(society, "A", title="The great Gatsby", creators="Fitzgerald, F. Scott, 1896-1940")
    work(society, "B", title="The great Gatsby", creators="Someone Else")
    assert meaning(society, "title", title_key(asked, "F. Scott Fitzgerald")) == gatsby.pk
    assert meaning(society, "title", title_key(asked, "Fitzgerald")) == gatsby.pk
    assert meaning(society, "title", title_key(asked, "")) is None


def test_a_title_that_may_be_two_works_finds_none(society):
    one = work(society, "A", title="Poems", creators="John Smith")
    work(society, "B", title="Poems", creators="James Smith")
    assert meaning(society, "title", title_key("Poems", "Smith, John")) == one.pk
    assert meaning(society, "title", title_key("Poems", "J. Smith")) is None


def test_an_alias_finds_its_work_with_its_own_or_the_works_creators(society):
    war = work(society, "A", title="War and peace", creators="Tolstoy, Leo")
    alias = WorkAlias.objects.create(society=society, work=war, title="Война и мир", creators="Лев Толстой")
    assert meaning(society, "title", title_key("Voyna i mir", "Lev Tolstoy")) == war.pk  # in Latin letters
    assert meaning(society, "title", title_key("война и мир", "Толстой, Лев")) == war.pk
    assert meaning(society, "title", title_key("война и мир", "Leo Tolstoy")) == war.pk
    alias.delete()
    assert meaning(society, "title", title_key("война и мир", "Leo Tolstoy")) is None


def test_several_identifiers_mean_the_work_on_which_they_agree(society):
    one = work(society, "A", ("isbn", "1"), ("doi", "10.1/a;b%3B"))
    other = work(society, "B", ("issn", "2"))
    agreed = several([("isbn", "1"), ("doi", "10.1/a;b%3B"), ("isan", "unknown")])
    torn = several([("isbn", "1"), ("issn", "2")])
    assert meaning(society, "several", agreed) == one.pk
    assert meaning(society, "several", torn) is None
    rule = services.decide(actor=SYSTEM, society=society, scheme="issn", value="2", work=other)
    assert meaning(society, "several", torn) == other.pk
    services.withdraw(actor=SYSTEM, rule=rule, reason="wrong")
    services.decide(actor=SYSTEM, society=society, scheme="several", value=torn, work=one)
    assert meaning(society, "several", torn) == one.pk


def test_a_conflict_ends_when_its_works_turn_out_to_be_one(society):
    one, other = work(society, "A", ("isbn", "1")), work(society, "B", ("issn", "2"))
    torn = several([("isbn", "1"), ("issn", "2")])
    Work.objects.filter(pk=one.pk).update(merged_into=other)
    assert meaning(society, "several", torn) == other.pk
