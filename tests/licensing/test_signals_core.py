"""The rules by which several statements and several signals are read together."""

import doctest
import importlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing import terms
from licensing.signals import vocabulary as words_of
from licensing.signals.core import (
    EVERYTHING,
    Signal,
    Statement,
    covers,
    for_longest,
    longest_first,
    overlap,
    strictest,
    within,
)
from licensing.signals.crawlers import crawlers

TRAIN = frozenset({"train", "finetune"})
MODULES = [
    "core",
    "vocabulary",
    "content_usage",
    "tdmrep",
    "markup",
    "epub",
    "pdf",
    "rsl",
    "cawg",
    "tdmai",
    "robots",
    "readers",
]

patterns = st.text(alphabet="/ab*$", min_size=0, max_size=6).map(lambda text: "/" + text.replace("$", "")) | st.text(
    alphabet="/ab*", max_size=5
).map(lambda text: f"/{text}$")
paths = st.text(alphabet="/ab.", max_size=8).map(lambda text: f"/{text}")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_code_are_true(name):
    assert doctest.testmod(importlib.import_module(f"licensing.signals.{name}")).failed == 0


@pytest.mark.parametrize(
    ("pattern", "path", "spoken_of"),
    [
        ("/", "/anything", True),
        ("", "/anything", True),
        ("/books", "/books", True),
        ("/books", "/bookshop", True),
        ("/books/", "/books", False),
        ("/*.pdf$", "/a/b.pdf", True),
        ("/*.pdf$", "/a/b.pdf?page=2", False),
        ("/*.pdf", "/a/b.pdf?page=2", True),
        ("/a*b*c", "/a-b-c", True),
        ("/a*b*c", "/a-c-b", False),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/Books", "/books", False),
        ("/%7Ejoe/", "/~joe/", True),
        ("/한글/", "/%ED%95%9C%EA%B8%80/1", True),
        ("/a%2fb", "/a%2Fb", True),
        ("/a%2Fb", "/a/b", False),
    ],
)
def test_a_pattern_covers_paths_as_in_robots_txt(pattern, path, spoken_of):
    assert covers(pattern, path) is spoken_of


@given(patterns, patterns, paths)
def test_what_lies_within_covers_nothing_more_and_what_is_apart_nothing_in_common(one, other, path):
    if within(one, other) and covers(one, path):
        assert covers(other, path)
    if covers(one, path) and covers(other, path):
        assert overlap(one, other)


def test_of_one_signal_the_first_statement_that_covers_speaks_alone():
    signal = Signal("tdmrep", "", (Statement("/open/", allowed=EVERYTHING), Statement("/", TRAIN)))
    assert signal.speaks("/open/1").reserved == frozenset()
    assert signal.speaks("/other").reserved == TRAIN
    assert Signal("tdmrep", "").speaks("/") is None


def test_of_several_signals_the_most_restrictive_wins_and_silence_gives_nothing():
    robots = Signal("robots", "", (Statement("/", frozenset({"index"})),))
    rsl = Signal("rsl", "", (Statement("/", TRAIN, allowed=frozenset({"index"})),))
    silent = Signal("c2pa", "", ())
    assert strictest([robots, rsl, silent], "/a") == TRAIN | {"index"}
    assert strictest([silent], "/a") == frozenset()
    assert strictest([], "/a") == frozenset()


@pytest.mark.parametrize(
    ("file", "header", "meta", "reserved"),
    [
        (1, None, None, True),
        (0, None, None, False),
        (0, 1, None, True),
        (1, 0, None, False),
        (1, 0, 1, True),
        (1, 1, 0, False),
        (None, None, 1, True),
        (1, None, 0, False),
        (None, 1, 0, False),
    ],
)
def test_within_tdmrep_a_page_prevails_over_a_header_and_a_header_over_the_file(file, header, meta, reserved):
    said = {"tdmrep": file, "tdmrep-header": header, "tdmrep-meta": meta}
    signals = [
        Signal(source, words_of.TDMREP, (Statement("", EVERYTHING) if value else Statement("", allowed=EVERYTHING),))
        for source, value in said.items()
        if value is not None
    ]
    assert bool(strictest(signals, "/a")) is reserved


def test_precedence_within_tdmrep_frees_nothing_that_another_signal_reserves():
    page = Signal("tdmrep-meta", words_of.TDMREP, (Statement("", allowed=EVERYTHING),))
    robots = Signal("robots", words_of.ROBOTS, (Statement("/", TRAIN),))
    assert strictest([page, robots], "/a") == TRAIN


def test_a_signal_knows_the_digest_of_what_was_read():
    assert Signal("rsl", "", raw=b"abc").sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.lists(st.tuples(paths, st.frozensets(st.sampled_from(sorted(EVERYTHING)))), max_size=6), paths)
def test_rewritten_for_the_longest_path_plain_statements_say_exactly_the_same(stated, path):
    statements = [Statement(location, reserved) for location, reserved in stated]
    first = Signal("", "", tuple(statements)).speaks(path)
    longest = Signal("", "", tuple(for_longest(statements))).speaks(path)
    assert (first.reserved if first else None) == (longest.reserved if longest else None)


@given(st.lists(st.tuples(patterns, st.frozensets(st.sampled_from(sorted(EVERYTHING)))), max_size=6), paths)
def test_rewritten_for_the_longest_path_no_reservation_is_lost(stated, path):
    statements = [Statement(location, reserved) for location, reserved in stated]
    first = Signal("", "", tuple(statements)).speaks(path)
    longest = Signal("", "", tuple(for_longest(statements))).speaks(path)
    if first:
        assert longest and first.reserved <= longest.reserved


def test_of_equal_paths_the_most_restrictive_speaks():
    both = longest_first([Statement("/a", allowed=TRAIN), Statement("/a", TRAIN), Statement("/a/b")])
    assert [(each.location, each.reserved, each.allowed) for each in both] == [
        ("/a/b", frozenset(), frozenset()),
        ("/a", TRAIN, frozenset()),
    ]


@pytest.mark.parametrize(
    ("vocabulary", "asked", "said", "unsaid"),
    [
        (words_of.AIPREF, {"train"}, {"train", "finetune"}, set()),
        (words_of.AIPREF, {"index"}, {"index"}, set()),
        (words_of.AIPREF, {"ground", "evaluate"}, set(), {"ground", "evaluate"}),
        (words_of.CONTENT_SIGNALS, {"ground", "finetune"}, {"train", "finetune", "ground"}, set()),
        (words_of.TDMREP, {"index"}, set(EVERYTHING), set()),
        (words_of.RSL, {"train", "index"}, {"train", "finetune", "index"}, set()),
        (words_of.RSL, {"evaluate"}, set(EVERYTHING), set()),
        (words_of.CAWG, {"ground"}, {"ground"}, set()),
        (words_of.CAWG, {"evaluate"}, set(), {"evaluate"}),
        (words_of.TDMAI, {"evaluate"}, set(EVERYTHING), set()),
        (words_of.TDMAI, {"finetune"}, {"train", "finetune"}, set()),
        (words_of.ROBOTS, {"ground", "evaluate"}, {"ground"}, {"evaluate"}),
        (words_of.ROBOTS, set(), set(), set()),
    ],
)
def test_each_vocabulary_says_what_it_can(vocabulary, asked, said, unsaid):
    assert words_of.normal_form(asked, vocabulary) == said
    assert words_of.unsaid(asked, vocabulary) == unsaid


@given(st.frozensets(st.sampled_from(sorted(EVERYTHING))), st.sampled_from(sorted(words_of.RESERVED_BY)))
def test_the_normal_form_is_stable_and_loses_only_what_has_no_word(uses, vocabulary):
    normal = words_of.normal_form(uses, vocabulary)
    assert words_of.normal_form(normal, vocabulary) == normal
    assert uses - words_of.unsaid(uses, vocabulary) <= normal
    assert normal <= words_of.sayable(vocabulary)


def test_the_uses_of_the_field_are_the_ones_that_are_mapped():
    assert set(terms.USES) == EVERYTHING
    assert all(uses <= EVERYTHING for words in words_of.RESERVED_BY.values() for uses in words.values())


def test_every_crawler_of_the_pinned_list_has_a_purpose():
    known = {crawler.name: crawler for crawler in crawlers()}
    assert len(known) == 166
    assert all(crawler.uses for crawler in known.values())
    assert known["GPTBot"].uses == TRAIN and known["GPTBot"].operator == "OpenAI"
    assert known["ChatGPT-User"].uses == {"ground"}
    assert known["OAI-SearchBot"].uses == {"index", "ground"}
    assert {crawler.respects for crawler in known.values()} == {"yes", "no", ""}


def test_the_pinned_list_names_its_source_and_licence():
    from licensing.signals.crawlers import DATA

    note = json.loads(DATA.read_text(encoding="utf-8"))
    assert note["licence"] == "MIT" and "ai.robots.txt" in note["source"]
