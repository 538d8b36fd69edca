"""A line finds the work of its identifier; on the web, the most specific place that is registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.engine import connect
from licensing.matching import MATCH, core, suffixes
from licensing.repertoire.identifiers.web import is_public_suffix


def match(
    sought: Sequence[tuple[str, str]], registered: Mapping[tuple[str, str], int], reserved: Sequence[str] = ()
) -> tuple[dict[tuple[str, str], int], set[tuple[str, str]]]:
    """What `match.sql` finds, and the places that it lists for each value."""
    with connect() as engine:
        text = "VARCHAR"
        engine.table("sought", {"scheme": text, "value": text}, sorted(set(sought)))
        engine.table(
            "identifier", {"scheme": text, "value": text, "work_id": "BIGINT"}, [(*k, w) for k, w in registered.items()]
        )
        engine.table("reserved", {"place": text}, [(place,) for place in reserved])
        suffixes.load(engine)
        engine.run(MATCH)
        found = engine.rows("SELECT scheme, value, work_id FROM found")
        assert len(found) == len({(scheme, value) for scheme, value, _work in found})
        places = {(value, place) for value, place in engine.rows("SELECT value, place FROM place")}
        return {(scheme, value): work for scheme, value, work in found}, places


def nearest(scheme: str, value: str, registered: Mapping[tuple[str, str], int]) -> int | None:
    by_core = core.nearest(scheme, value, registered, is_suffix=is_public_suffix)
    by_sql, _places = match([(scheme, value)], registered)
    assert by_sql.get((scheme, value)) == by_core
    return by_core


def test_a_location_lies_in_its_host_and_the_hosts_above() -> None:
    found = list(core.places("en.m.wikipedia.org/wiki/X", is_suffix=is_public_suffix))
    assert [place for place in dict.fromkeys(found) if not place.endswith("/")] == [
        "en.m.wikipedia.org/wiki/X",
        "en.m.wikipedia.org/wiki",
        "en.m.wikipedia.org",
        "m.wikipedia.org",
        "wikipedia.org",
    ]


@pytest.mark.parametrize(
    ("registered", "work"),
    [
        ({("domain", "wikipedia.org"): 1}, 1),
        ({("domain", "wikipedia.org"): 1, ("domain", "en.m.wikipedia.org"): 2}, 2),
        ({("domain", "en.m.wikipedia.org"): 2, ("url", "en.m.wikipedia.org/wiki"): 3}, 3),
        ({("url", "en.m.wikipedia.org/wiki/"): 3, ("url", "en.m.wikipedia.org/wiki/X"): 4}, 4),
        ({("url", "en.m.wikipedia.org/wiki/X/Y"): 5}, None),
        ({("url", "en.m.wikipedia.org/wik"): 5}, None),
        ({("url", "wikipedia.org/wiki"): 5}, None),  # a path belongs to its own host
        ({("domain", "org"): 6}, None),
    ],
)
def test_the_most_specific_path_host_or_parent_domain_is_found(
    registered: dict[tuple[str, str], int], work: int | None
) -> None:
    assert nearest("url", "en.m.wikipedia.org/wiki/X", registered) == work


@pytest.mark.parametrize(
    ("value", "suffix"),
    [("news.example.co.kr", "co.kr"), ("shop.city.ck", "city.ck"), ("a.b.kobe.jp", "b.kobe.jp")],
)
def test_a_public_suffix_is_never_found(value: str, suffix: str) -> None:
    assert is_public_suffix(suffix)
    assert nearest("domain", value, {("domain", suffix): 1}) is None


@pytest.mark.parametrize("domain", ["www.ck", "city.kobe.jp", "blogspot.com", "github.io"])
def test_exceptions_and_private_suffixes_are_domains_like_others(domain: str) -> None:
    assert not is_public_suffix(domain)
    assert nearest("domain", f"a.{domain}", {("domain", domain): 1}) == 1


def test_an_identifier_as_written_goes_before_the_other_scheme() -> None:
    registered = {("domain", "example.com"): 1, ("url", "example.com/"): 2}
    assert nearest("domain", "example.com", registered) == 1
    assert nearest("url", "example.com/", registered) == 2
    assert nearest("url", "example.com/x", registered) == 2
    assert nearest("domain", "www.example.com", registered) == 1


def test_a_page_with_a_query_lies_in_the_page_and_a_port_in_its_host() -> None:
    assert nearest("url", "example.com:8080/a?b=1", {("url", "example.com:8080/a"): 1}) == 1
    assert nearest("url", "example.com:8080/a?b=1", {("domain", "example.com"): 1}) == 1


def test_other_schemes_match_exactly() -> None:
    registered = {("isbn", "9780000000002"): 1, ("doi", "10.1000/182"): 2}
    assert nearest("isbn", "9780000000002", registered) == 1
    assert nearest("doi", "10.1000/182/x", registered) is None
    assert nearest("proprietary", "9780000000002", registered) is None


def test_places_are_listed_as_deep_as_any_is_registered_or_reserved() -> None:
    _found, places = match([("url", "example.com/a/b/c")], {}, reserved=["example.com/a/b"])
    assert {place for _value, place in places} >= {
        "example.com/a/b/c",
        "example.com/a/b",
        "example.com/a",
        "example.com",
    }
    _found, places = match([("url", "example.com/" + "a/" * 900)], {("url", "example.com/a"): 1})
    assert len(places) < 10


labels = st.sampled_from(["a", "b", "www", "city", "kobe", "example"])
tops = st.sampled_from(["com", "kr", "co.kr", "ck", "kobe.jp", "www.ck", "city.kobe.jp", "com:8080"])
hosts = st.builds(lambda ls, top: ".".join([*ls, top]), st.lists(labels, max_size=2), tops).filter(lambda h: "." in h)
paths = st.lists(st.sampled_from(["a", "b", "", "wiki"]), max_size=3).map("/".join)
urls = st.builds(
    lambda host, path, slash, query: host + ("/" + path if path or slash else "") + query,
    hosts,
    paths,
    st.booleans(),
    st.sampled_from(["", "", "?q=1", "?q=/a/"]),
)
identifiers = st.tuples(st.just("domain"), hosts) | st.tuples(st.just("url"), urls) | st.tuples(st.just("isbn"), labels)


@settings(max_examples=100)
@given(st.lists(identifiers, min_size=1, max_size=12), st.lists(identifiers, max_size=12, unique=True))
def test_match_sql_finds_what_the_core_finds(sought: list[tuple[str, str]], register: list[tuple[str, str]]) -> None:
    registered = {identifier: work for work, identifier in enumerate(register)}
    found, _places = match(sought, registered)
    for scheme, value in sought:
        expected = core.nearest(scheme, value, registered, is_suffix=is_public_suffix)
        assert found.get((scheme, value)) == expected, (scheme, value, registered)


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(["a", "www", "city", "kobe", "jp", "ck", "co", "kr", "uk", "com", "xn--3e0b707e"]),
        min_size=1,
        max_size=4,
    )
)
def test_the_suffix_table_agrees_with_the_library(parts: list[str]) -> None:
    host = ".".join(parts)
    rules = set(suffixes._rules())
    parent = host.partition(".")[2]
    by_table = (
        "." not in host or (host, "exact") in rules or ((parent, "wild") in rules and (host, "except") not in rules)
    )
    assert by_table == is_public_suffix(host)
