"""What a writer writes, its reader reads: the same, where the vocabulary has the words, and never less than it can say."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.signals import cawg, content_usage, epub, markup, readers, robots, rsl, tdmai, tdmrep
from licensing.signals import vocabulary as words_of
from licensing.signals.core import EVERYTHING, Signal, Statement

from .test_signals_files import book, document

ISCC = "ISCC:KACT4EBWK27737D2AYCJRAL5Z36G76RFRMO4554RU26HZ4ORJGIVHDI"
POLICY = "https://e.example/terms?a=1&b=2"

uses = st.frozensets(st.sampled_from(sorted(EVERYTHING)))
whole = st.builds(
    lambda reserved, allowed, policy: Statement("", reserved, allowed - reserved, policy if reserved else ""),
    uses,
    uses,
    st.sampled_from(["", POLICY]),
)
plain = st.text(alphabet="ab/한 %#", max_size=5).map(lambda text: f"/{text}")
wild = plain | st.text(alphabet="ab/*", max_size=5).map(lambda text: f"/{text}") | st.just("/*.pdf$")
paths = st.text(alphabet="ab/한", max_size=6).map(lambda text: f"/{text}") | st.just("/a.pdf")


def lists(locations):
    return st.lists(st.builds(lambda place, no, yes: Statement(place, no, yes - no), locations, uses, uses), max_size=5)


def of_a_tdmrep_book(statement):
    return epub.read(book(epub.write_meta(tdmrep.write_headers([statement]))))


# Formats that speak of one thing: a header, a page, a file, a work. Written and read; the vocabulary; what else is kept.
ONE = {
    "content-usage": (lambda s: content_usage.read(content_usage.write([s]).encode()), words_of.AIPREF),
    "content-signal": (
        lambda s: content_usage.read_signal(content_usage.write_signal([s]).encode()),
        words_of.CONTENT_SIGNALS,
    ),
    "cawg": (lambda s: cawg.read(cawg.write([s]).encode()), words_of.CAWG),
    "tdmai": (lambda s: tdmai.read(tdmai.write([s], iscc=ISCC).encode()), words_of.TDMAI),
    "tdmrep-header": (lambda s: tdmrep.read_headers(tdmrep.write_headers([s])), words_of.TDMREP),
    "tdmrep-meta": (lambda s: markup.read(markup.write(tdmrep.write_headers([s])).encode()), words_of.TDMREP),
    "epub": (of_a_tdmrep_book, words_of.TDMREP),
}


@pytest.mark.parametrize("name", ONE)
@settings(max_examples=60, deadline=None)
@given(statement=whole)
def test_a_statement_in_normal_form_comes_back_as_it_was(name, statement):
    write_and_read, vocabulary = ONE[name]
    normal = words_of.normal(statement, vocabulary)
    signal = write_and_read(normal)
    found = signal.statements[0] if signal and signal.statements else Statement("")
    if vocabulary == words_of.TDMREP and not normal.reserved:
        assert found.reserved == frozenset()  # where nothing is reserved, TDMRep can only say just that
    else:
        assert (found.reserved, found.allowed) == (normal.reserved, normal.allowed)


@pytest.mark.parametrize("name", ONE)
@settings(max_examples=60, deadline=None)
@given(statement=whole)
def test_any_statement_loses_only_what_has_no_word(name, statement):
    write_and_read, vocabulary = ONE[name]
    signal = write_and_read(statement)
    found = signal.statements[0].reserved if signal and signal.statements else frozenset()
    assert found == words_of.normal_form(statement.reserved, vocabulary)
    assert found >= statement.reserved - words_of.unsaid(statement.reserved, vocabulary)


@pytest.mark.parametrize("name", ["cawg", "tdmai", "tdmrep-header", "tdmrep-meta", "epub"])
def test_terms_come_back(name):
    assert ONE[name][0](Statement("", EVERYTHING, policy=POLICY)).statements[0].policy == POLICY


def spoken(statements, path):
    return Signal("", "", tuple(statements)).speaks(path)


SITES = {
    "tdmrep": (lambda s: tdmrep.read(tdmrep.write(s).encode()), words_of.TDMREP),
    "rsl": (lambda s: rsl.read(rsl.write(s)), words_of.RSL),
    "rsl-offer": (lambda s: rsl.read(rsl.write(s, offer=rsl.Offer("https://e.example/t"))), words_of.RSL),
    "robots": (lambda s: robots.read(robots.write(s).encode()), words_of.ROBOTS),
}


@pytest.mark.parametrize("name", SITES)
@settings(max_examples=50, deadline=None)
@given(statements=lists(plain), path=paths)
def test_at_every_path_what_is_written_is_the_normal_form_of_what_was_said(name, statements, path):
    write_and_read, vocabulary = SITES[name]
    meant, found = spoken(statements, path), write_and_read(statements).speaks(path)
    assert (found.reserved if found else frozenset()) == (
        words_of.normal_form(meant.reserved, vocabulary) if meant else frozenset()
    )


@pytest.mark.parametrize("name", SITES)
@settings(max_examples=50, deadline=None)
@given(statements=lists(wild), path=paths)
def test_with_wildcards_no_reservation_is_lost(name, statements, path):
    write_and_read, vocabulary = SITES[name]
    meant, found = spoken(statements, path), write_and_read(statements).speaks(path)
    if meant:
        sayable = meant.reserved - words_of.unsaid(meant.reserved, vocabulary)
        assert sayable <= (found.reserved if found else frozenset())


@pytest.mark.parametrize("name", SITES)
@settings(max_examples=30, deadline=None)
@given(statements=lists(plain))
def test_what_was_read_is_written_the_same_again(name, statements):
    write_and_read, _vocabulary = SITES[name]
    once = write_and_read(statements)
    twice = write_and_read(list(once.statements))
    for path in ("/", "/a", "/b/", "/ab", "/한"):
        first, second = once.speaks(path), twice.speaks(path)
        assert (first.reserved if first else frozenset()) == (second.reserved if second else frozenset())


def test_the_policy_of_each_place_comes_back_from_tdmrep():
    said = [Statement("/a/", EVERYTHING, policy=POLICY), Statement("/", allowed=EVERYTHING)]
    assert tdmrep.read(tdmrep.write(said).encode()).statements == tuple(said)


def test_a_country_comes_back_from_rsl():
    [found] = rsl.read(rsl.write([Statement("/", EVERYTHING, territory=("KR",))])).statements
    assert (found.reserved, found.territory) == (EVERYTHING, ("KR",))


def test_where_rsl_cannot_say_a_country_it_says_everywhere():
    [found] = rsl.read(rsl.write([Statement("/", frozenset({"train"}), territory=("KR",))])).statements
    assert (found.reserved, found.territory) == ({"train", "finetune"}, ("*",))


def test_robots_txt_turns_away_who_comes_only_for_what_is_reserved():
    text = robots.write([Statement("/", frozenset({"train", "finetune"}))], licence="https://e.example/license.xml")
    assert "User-agent: GPTBot\n" in text
    assert "User-agent: ChatGPT-User\n" not in text  # it grounds
    assert "User-agent: Googlebot" not in text and "User-agent: facebookexternalhit" not in text
    assert robots.licences(text.encode()) == ["https://e.example/license.xml"]


def test_nothing_reserved_is_nothing_written():
    assert robots.write([]) == "" and content_usage.write([]) == "" and json.loads(tdmrep.write([])) == []
    assert tdmrep.write_headers([]) == {}
    assert rsl.read(rsl.write([])).statements == ()


def test_a_pdf_and_an_uploaded_file_are_read_the_same_way():
    raw = document(reservation="1", policy=POLICY)
    signal = readers.read_file("a.pdf", "application/pdf", raw)
    assert (signal.source, signal.statements[0].policy) == ("pdf", POLICY)
