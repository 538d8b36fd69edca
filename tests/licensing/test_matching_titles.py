"""Lines that name a work by its title: found exactly, recognised for certain, or left to people with candidates."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.identity.core import SYSTEM
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.matching import services
from licensing.matching.core import plain_title, several, short_title, spellings, title_key
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Identifier, Work, WorkAlias
from tests.licensing.declaring import Firm, declare, firm, lines

HEADER = "identifier_type,identifier,units,title,creators"


@pytest.fixture
def parties(db: None) -> Firm:
    return firm()


def book(of: Firm, ref: str, title: str, creators: str) -> Work:
    """A work that is free to use, so that nothing but matching decides about it."""
    return Work.objects.create(
        society=of.society, ref=ref, kind="book", title=title, creators=creators, protected_until="1990-01-01"
    )


def used(made: Declaration) -> list[tuple[str, str]]:
    rows = DeclaredUse.objects.filter(declaration=made).select_related("work")
    return sorted((use.work.ref if use.work else use.title, use.status) for use in rows)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("The Sun Also Rises", "Ernest Hemingway"), ("Sun also rises, The", "HEMINGWAY, Ernest, 1899-1961")),
        (("Don't look now", "Du Maurier, Daphne"), ("Dont Look Now!", "Daphne du Maurier")),
        (("L'Étranger", "Albert Camus"), ("etranger", "Camus, Albert (ed.)")),
        (("Die Straße", "Müller, Karl"), ("Strasse, Die", "Karl Mueller")),
        (("Война и мир", "Лев Толстой"), ("Voyna i mir", "Lev Tolstoy")),
        (("진달래꽃", "김소월"), ("진달래 꽃(花)", "김 소월 지음")),
        (("韓國(한국) 문학", "이광수"), ("한국문학", "이 광수")),
        (("Simon & Schuster", "A; B"), ("Simon and Schuster", "B;A")),
        (("U.S.A.", "John Dos Passos"), ("USA", "Dos Passos, John")),
        (("ＳＰＲＩＮＧ", "Ｋｉｍ"), ("Spring", "Kim")),
    ],
)
def test_a_title_has_one_key_however_it_is_written(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert title_key(*one) == title_key(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Poems", "Smith, John"), ("Poems", "Smith, James")),
        (("History, vol. 1", "X Y"), ("History, vol. 2", "X Y")),
        (("Poems", "A B"), ("Poems", "")),
        (("봄", "김소월"), ("봄봄", "김소월")),
    ],
)
def test_different_works_have_different_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert title_key(*one) != title_key(*other)


def test_a_title_of_signs_alone_and_one_that_is_an_article_stay() -> None:
    assert plain_title(" ???  !") == "??? !"
    assert plain_title("A") == "a" and plain_title("The The") == "the"


def test_a_short_title_says_enough() -> None:
    assert short_title("Moby-Dick; or, the whale") == "moby dick"
    assert short_title("Poems: second series") == "" == short_title("Ulysses")


def test_a_work_is_found_by_initials_or_surname_and_by_a_title_alone_never() -> None:
    found = dict(spellings("Cosmos", "Sagan, Carl Edward"))
    assert found[title_key("Cosmos", "Carl Edward Sagan")]
    assert {title_key("Cosmos", name) for name in ("C. E. Sagan", "Sagan, C.", "Sagan")} < set(found)
    assert title_key("Cosmos", "") not in found
    assert title_key("Cosmos", "") not in dict(spellings("Cosmos", ""))


def test_a_declared_title_is_matched_where_one_work_has_it(parties: Firm) -> None:
    book(parties, "SUN", "The sun also rises", "Hemingway, Ernest")
    book(parties, "ONE", "Poems", "Smith, John")
    book(parties, "TWO", "Poems", "Smith, James")
    made = declare(
        parties,
        lines(
            ',,1,"Sun also rises, The",Ernest Hemingway',
            ',,2,Sun Also Rises,"Hemingway, E."',
            ',,4,Poems,"Smith, J."',
            ",,8,Poems,James Smith",
            ",,16,The sun also rises,",
            header=HEADER,
        ),
    )
    assert used(made) == [
        ("Poems", "unmatched"), ("SUN", "licensed"), ("TWO", "licensed"), ("The sun also rises", "unmatched"),
    ]  # fmt: skip
    assert not MatchRule.objects.exists()


def test_a_slip_of_the_finger_is_recognised_remembered_and_can_be_taken_back(parties: Firm) -> None:
    work = book(parties, "BURG", "The lost kingdom of Burgundy", "Casey, Robert J.")
    data = lines(',,1,The lost kingdom of Bugrundy,"Casey, Robert J."', header=HEADER)
    assert used(declare(parties, data)) == [("BURG", "licensed")]
    rule = MatchRule.objects.get()
    assert (rule.source, rule.work, rule.scheme) == ("matcher", work, "title")
    assert rule.score is not None and rule.score >= Decimal("0.995")
    assert "slip" in rule.reason
    services.withdraw(actor=SYSTEM, rule=rule, reason="It is another book.")
    assert used(declare(parties, data + b"\n")) == [("The lost kingdom of Bugrundy", "unmatched")]
    assert not MatchRule.objects.in_force().exists()


def test_what_only_looks_like_a_work_is_left_to_people(parties: Firm) -> None:
    book(parties, "BURG", "The lost kingdom of Burgundy", "Casey, Robert J.")
    made = declare(
        parties,
        lines(
            ',,1,The lost kingdom of Burgundy,"Someone, Else"',
            ',,2,"The lost kingdom of Burgundy, vol. 2","Casey, Robert J."',
            ',,4,The last kingdom of Burgundy,"Casey, Robert J."',
            ",,8,The lost kingdom of Bugrundy,",
            header=HEADER,
        ),
    )
    assert {status for _title, status in used(made)} == {"unmatched"}
    assert not MatchRule.objects.exists()


def test_no_more_titles_than_the_setting_says_are_looked_at_the_most_used_first(parties: Firm, settings) -> None:
    settings.MATCH_MOST_TITLES = 1
    book(parties, "A", "The lost kingdom of Burgundy", "Casey, Robert J.")
    book(parties, "B2", "Springs in the desert", "Jowett, John Henry")
    made = declare(
        parties,
        lines(
            ',,1,The lost kingdom of Bugrundy,"Casey, Robert J."',
            ',,9,Sprnigs in the desert,"Jowett, John Henry"',
            header=HEADER,
        ),
    )
    assert used(made) == [("B2", "licensed"), ("The lost kingdom of Bugrundy", "unmatched")]


def test_nothing_is_remembered_of_a_test(parties: Firm) -> None:
    book(parties, "A", "The lost kingdom of Burgundy", "Casey, Robert J.")
    data = lines(',,1,The lost kingdom of Bugrundy,"Casey, Robert J."', header=HEADER)
    assert used(declare(parties, data, actor=replace(parties.declarant, sandbox=True))) == [("A", "licensed")]
    assert not MatchRule.objects.exists()


def test_candidates_come_the_likeliest_first_with_reasons(parties: Firm) -> None:
    first = book(parties, "A", "The lost kingdom of Burgundy; a history", "Casey, Robert J.")
    second = book(parties, "B2", "The lost kingdom of Burgundy", "Other, Author")
    WorkAlias.objects.create(society=parties.society, work=first, title="Le royaume perdu de Bourgogne")
    book(parties, "C", "Nothing like it", "Nobody, N.")
    [found, alias, nothing, untitled] = services.candidates(
        parties.society.pk,
        [
            ("title", "", "The lost kingdom of Burgundy", "Robert J. Casey"),
            ("isbn", "9780000000000", "Royaume perdu de Bourgogne", "Casey"),
            ("title", "", "zzzz", ""),
            ("isbn", "9780000000000", "", ""),
        ],
    )
    assert [one.work_id for one in found] == [first.pk, second.pk]
    assert found[0].why == ("same title but for the subtitle", "creator agrees")
    assert found[0].score > found[1].score
    assert (alias[0].work_id, alias[0].why[0]) == (first.pk, "same title")
    assert nothing == [] == untitled


def test_a_conflict_has_the_works_that_its_identifiers_name_as_candidates(parties: Firm) -> None:
    one, other = book(parties, "A", "Springs", "Jowett"), book(parties, "B2", "Summers", "Jowett")
    for n, work in enumerate((one, other)):
        Identifier.objects.create(society=parties.society, work=work, scheme="isbn", value=str(n))
    torn = several([("isbn", "0"), ("isbn", "1")])
    [found] = services.candidates(parties.society.pk, [("several", torn, "Summers", "Jowett")])
    assert [candidate.work_id for candidate in found] == [other.pk, one.pk]
    assert all("one of its identifiers names this work" in candidate.why for candidate in found)


def test_hanja_without_its_reading_is_found_by_another_title_of_the_work(parties: Firm) -> None:
    """No table reads Hanja: the register says that the two are one title. In brackets the reading explains itself."""
    work = book(parties, "KL", "한국문학", "이광수")
    data = lines(",,1,韓國文學,이 광수", ",,1,韓國(한국) 문학,이광수", header=HEADER)
    assert used(declare(parties, data)) == [("KL", "licensed"), ("韓國文學", "unmatched")]
    WorkAlias.objects.create(society=parties.society, work=work, title="韓國文學", creators="이광수")
    data = lines(",,2,韓國文學,이 광수", header=HEADER)
    assert used(declare(parties, data)) == [("KL", "licensed")]
