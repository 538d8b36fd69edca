"""Where `normalise.sql` is certain it says what `repertoire.identifiers` says; the rest is left to that module."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing import terms
from licensing.engine import connect
from licensing.engine.core import Engine
from licensing.matching import normalising, suffixes
from licensing.repertoire.identifiers import BadIdentifier, normalise

Strange = tuple[str, str]


def tables(engine: Engine, strange: Iterable[Strange]) -> None:
    engine.table("strange", {"scheme": "VARCHAR", "identifier": "VARCHAR"}, sorted(set(strange)))
    suffixes.load(engine)


def certain(strange: Iterable[Strange]) -> dict[Strange, str]:
    with connect() as engine:
        tables(engine, strange)
        engine.run(normalising.NORMALISE)
        rows = engine.rows("SELECT scheme, identifier, value FROM certain")
    assert len(rows) == len(set(strange))
    return {(scheme, identifier): value for scheme, identifier, value in rows if value is not None}


def by_python(scheme: str, text: str) -> str | None:
    try:
        return normalise(scheme, text)
    except BadIdentifier:
        return None


CERTAIN = [
    ("isbn", "0-306-40615-2", "9780306406157"),
    ("isbn", "978-89-954321-0-5", None),
    ("isbn", "080442957X", "9780804429573"),
    ("isbn", "979-11-5525-123-5", None),
    ("issn", "1748-7188", "17487188"),
    ("issn", "2434-561X", "2434561X"),
    ("ismn", "979-0-060-11561-5", "9790060115615"),
    ("iswc", "T-034.524.680-1", "T0345246801"),
    ("doi", "10.1000/ABC(1)", "10.1000/abc(1)"),
    ("proprietary", " KR-1 a ", "KR-1 a"),
    ("domain", "WWW.Example.co.kr.", "www.example.co.kr"),
    ("domain", "xn--v52bl5i.kr", "xn--v52bl5i.kr"),
    ("url", "HTTPS://Example.com", "example.com/"),
    ("url", "example.com./A/b/", "example.com/A/b/"),
    ("url", "http://example.com/a?b=1&c=/x?y", "example.com/a?b=1&c=/x?y"),
    ("url", "example.com?b=1", "example.com/?b=1"),
    ("isrc", "kr-a30-23-00001", "KRA302300001"),
    ("isrc", "USRC17607839", "USRC17607839"),
    ("isni", "0000 0001 2281 955X", "000000012281955X"),
    ("isni", "0000-0001-2281-955x", "000000012281955X"),
    ("ipi", "00014107338", "00014107338"),
    ("ipi", "14107338", "00014107338"),
    ("uci", "i410-ecn-0102-2009-000-0000001", "I410-ECN-0102-2009-000-0000001"),
]
UNCERTAIN = [
    ("domain", "co.kr"),
    ("domain", "localhost"),
    ("domain", "정산.kr"),
    ("domain", "1.2.3.4"),
    ("domain", "-a.com"),
    ("url", "http://user@example.com/"),
    ("url", "example.com:8080/"),
    ("url", "example.com/?utm_source=x"),
    ("url", "example.com/#top"),
    ("url", "example.com/a b"),
    ("url", "example.com/?"),
    ("url", "example.com/?a=1&&b=2"),
    ("isbn", "9780306406158"),
    ("isbn", "9790060115615"),
    ("ismn", "9780306406157"),
    ("iswc", "T0345246802"),
    ("proprietary", "a  b"),
    ("proprietary", "가"),
    ("proprietary", "x" * 2049),
    ("isrc", "ZZA302300001"),
    ("isrc", "ISRC KRA302300001"),
    ("isni", "0000000122819551"),
    ("ipi", "00014107339"),
    ("ipi", "I-000141073-3"),
    ("uci", "I410"),
    ("usco", "R123456"),
]


@pytest.mark.parametrize(("scheme", "text", "value"), [c for c in CERTAIN if c[2]])
def test_plain_spellings_are_normalised_in_sql(scheme: str, text: str, value: str) -> None:
    assert certain([(scheme, text)]) == {(scheme, text): value}
    assert normalise(scheme, text) == value


@pytest.mark.parametrize(("scheme", "text"), UNCERTAIN)
def test_doubtful_spellings_are_left_to_python(scheme: str, text: str) -> None:
    assert certain([(scheme, text)]) == {}


def test_every_identifier_is_spelled_or_refused_with_its_reason() -> None:
    strange = [
        ("isbn", "0-306-40615-2"),
        ("isbn", "0-306-40615-3"),
        ("domain", "정산.kr"),
        ("domain", "co.kr"),
        ("url", '"'),
    ]
    with connect() as engine:
        tables(engine, strange)
        normalising.spell(engine)
        spelled = {row[:2]: row[2:] for row in engine.rows("SELECT scheme, identifier, value, problem FROM spelled")}
    assert spelled == {
        ("isbn", "0-306-40615-2"): ("9780306406157", None),
        ("isbn", "0-306-40615-3"): (None, "identifier: wrong check digit"),
        ("domain", "정산.kr"): ("xn--zf4b78k.kr", None),
        ("domain", "co.kr"): (None, "identifier: a public suffix, under which many have their domains"),
        ("url", '"'): (None, "identifier: not a domain name"),
    }


digits = st.text("0123456789", min_size=7, max_size=13)
numbers = st.builds(
    lambda prefix, d, end: prefix + d + end,
    st.sampled_from(["", "978", "9790", "T", "T-", "979"]),
    digits,
    st.sampled_from(["", "X", "x", "-1"]),
)
hyphened = st.builds(
    lambda text, at, mark: text[:at] + mark + text[at:],
    numbers,
    st.integers(0, 8),
    st.sampled_from(["-", " ", ".", "\u2010"]),
)
hosts = st.lists(st.text("aA9_-한", min_size=1, max_size=3), min_size=1, max_size=3).map(".".join)
tops = st.sampled_from([".com", ".kr", ".co.kr", ".COM.", ".ck", ".9", "", ".kobe.jp"])
webs = st.builds(
    lambda head, host, top, path: head + host + top + path,
    st.sampled_from(["", "http://", "HTTPS://", "//", "ftp://", "http:", "u@"]),
    hosts,
    tops,
    st.text("/ab?&#=:@%. utm_gclid", max_size=12)
    | st.sampled_from(["?utm_source=1", "/?a=1&gclid=2", "?", "/?&", ":443/", "/~a!$'()*+,;=[]|"]),
)
marked = st.from_regex(r"(?i:[A-Z]{2}-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5}|KR-?A3O-?[0-9]{2}-?[0-9]{5})", fullmatch=True)
objects = st.from_regex(r"(?i:(UCI:)?[IG]\d{3}(-[A-Z0-9]{0,3})?([-:+][A-Z0-9._~]{0,4}){0,2})", fullmatch=True)
words = st.text(st.characters(max_codepoint=0x3000), max_size=12)
texts = (
    numbers
    | hyphened
    | marked
    | objects
    | st.text("0123456789 -X", min_size=6, max_size=19)
    | webs
    | words
    | st.builds(lambda t: f"10.1234/{t}", words)
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(terms.SCHEMES), texts), min_size=1, max_size=40))
def test_sql_never_says_what_python_does_not(strange: list[Strange]) -> None:
    readable = [(scheme, text) for scheme, text in strange if "\0" not in text]
    for (scheme, text), value in certain(readable).items():
        assert by_python(scheme, text) == value, (scheme, text)


def test_check_digits_agree_over_whole_ranges() -> None:
    strange = [("isbn", f"97803064061{n:02}") for n in range(100)] + [("isbn", f"03064061{n:02}") for n in range(100)]
    strange += [("isbn", f"0306406{n:02}X") for n in range(100)] + [("issn", f"17487{n:03}") for n in range(1000)]
    strange += [("iswc", f"T034524{n:04}") for n in range(1000)] + [("ismn", f"97900601156{n:02}") for n in range(100)]
    strange += [("isni", f"00000001228{n:04}X"[:15] + x) for n in range(90) for x in "0123456789X"]
    strange += [("ipi", f"000141073{n:02}") for n in range(100)] + [("ipi", f"{n:06}") for n in range(0, 20000, 7)]
    found = certain(strange)
    for scheme, text in set(strange):
        assert found.get((scheme, text)) == by_python(scheme, text), (scheme, text)
    assert len(found) > 200
