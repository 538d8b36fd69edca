"""Identifiers: one normal form each, check digits as python-stdnum and the standards have them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import isan, isbn, ismn, isni, isrc, issn
from stdnum.iso7064 import mod_11_2

from licensing import terms
from licensing.repertoire.identifiers import BadIdentifier, normalise, schemes, split, web


@pytest.mark.parametrize(
    ("scheme", "text", "value"),
    [
        ("isbn", "0-306-40615-2", "9780306406157"),
        ("isbn", " 978-0-306-40615-7 ", "9780306406157"),
        ("isbn", "080442957x", "9780804429573"),
        ("isbn", "ISBN 979-11-5800-000-4".replace("000-4", "000-4"), "9791158000004"),
        ("issn", "0317-8471", "03178471"),
        ("issn", "2434-561x", "2434561X"),
        ("ismn", "M-2306-7118-7", "9790230671187"),
        ("ismn", "979-0-060-11561-5", "9790060115615"),
        ("iswc", "T-034.524.680-1", "T0345246801"),
        ("iswc", "t0345246801", "T0345246801"),
        ("isrc", "us-skg-19-12345", "USSKG1912345"),
        ("isan", "0000-0000-D07A-0090-Q-0000-0000-X", "00000000D07A0090"),
        ("isan", "1881-66C7-3420-6541-Y-9F3A-0245-O", "188166C7342065419F3A0245"),
        ("doi", "https://doi.org/10.1000/ABC.Def(1)", "10.1000/abc.def(1)"),
        ("doi", "doi:10.5555/x", "10.5555/x"),
        ("isni", "0000 0001 2281 955X", "000000012281955X"),
        ("ipi", "14107338", "00014107338"),
        ("ipi", "000141073-38", "00014107338"),
        ("iscc", "iscc:KACT4EBWK27737D2AYCJRAL5Z36G", "KACT4EBWK27737D2AYCJRAL5Z36G"),
        ("uci", "UCI:I410-ECN-0102-2009-700-001234567", "I410-ECN-0102-2009-700-001234567"),
        ("usco", "TX 7-123-456", "TX7123456"),
        ("usco", "TX0001234567", "TX1234567"),
        ("usco", "r59809", "R59809"),
        ("usco", "B5-14369", "B5-14369"),
        ("usco", "Label 24313", "LABEL24313"),
        ("url", "https://Example.COM:443/Path/x/?utm_source=a&b=2&fbclid=z#top", "example.com/Path/x/?b=2"),
        ("url", "http://example.com:80", "example.com/"),
        ("url", "http://example.com:443/", "example.com:443/"),
        ("url", "user:secret@example.com/a", "example.com/a"),
        ("url", "//정산.한국/글?utm_campaign=1", "xn--zf4b78k.xn--3e0b707e/글"),
        ("url", "example.com/a?&gclid=1&", "example.com/a"),
        ("domain", "WWW.Example.Co.KR.", "www.example.co.kr"),
        ("domain", "정산.한국", "xn--zf4b78k.xn--3e0b707e"),
        ("domain", "my_site.tumblr.com", "my_site.tumblr.com"),
        ("proprietary", " KOMCA  100 ", "KOMCA 100"),
    ],
)  # fmt: skip
def test_normal_forms(scheme: str, text: str, value: str) -> None:
    assert normalise(scheme, text) == value
    assert normalise(scheme, value) == value, "the normal form is its own normal form"


@pytest.mark.parametrize(
    ("scheme", "text", "reason"),
    [
        ("isbn", "978-0-306-40615-8", schemes.WRONG_CHECK_DIGIT),
        ("isbn", "979-0-060-11561-5", schemes.WRONG_FORM),
        ("isbn", "978-0-306", schemes.WRONG_FORM),
        ("issn", "0317-8472", schemes.WRONG_CHECK_DIGIT),
        ("iswc", "T-034.524.680-2", schemes.WRONG_CHECK_DIGIT),
        ("iswc", "T-034.524.68", schemes.WRONG_FORM),
        ("isrc", "XX-SKG-19-12345", schemes.WRONG_FORM),
        ("isan", "0000-0000-D07A-0090-R", schemes.WRONG_CHECK_DIGIT),
        ("isni", "0000 0001 2281 9550", schemes.WRONG_CHECK_DIGIT),
        ("ipi", "00014107339", schemes.WRONG_CHECK_DIGIT),
        ("doi", "11.1000/x", schemes.WRONG_FORM),
        ("iscc", "ISCC:AAAA", schemes.WRONG_FORM),
        ("usco", "12345", schemes.WRONG_FORM),
        ("domain", "localhost", web.ONE_LABEL),
        ("domain", "co.kr", web.PUBLIC_SUFFIX),
        ("domain", "example..com", web.NOT_A_DOMAIN),
        ("domain", "-a.com", web.NOT_A_DOMAIN),
        ("domain", "192.168.0.1", web.NOT_A_DOMAIN),
        ("domain", "*.example.com", web.NOT_A_DOMAIN),
        ("domain", "https://example.com", web.NOT_A_DOMAIN),
        ("domain", "a" * 64 + ".com", web.NOT_A_DOMAIN),
        ("url", "ftp://example.com/a", web.NOT_A_URL),
        ("url", "https://localhost/a", web.ONE_LABEL),
        ("url", "https://example.com/a b", web.NOT_A_URL),
        ("proprietary", "a\x00b", schemes.WRONG_FORM),
        ("isbn", "  ", schemes.EMPTY),
        ("proprietary", "x" * 3000, schemes.TOO_LONG),
        ("url", "example.com/" + "가" * 1000, schemes.TOO_LONG),
        ("asin", "B00", schemes.UNKNOWN_SCHEME),
    ],
)
def test_what_is_refused_and_why(scheme: str, text: str, reason: str) -> None:
    with pytest.raises(BadIdentifier) as caught:
        normalise(scheme, text)
    assert caught.value.reason == reason


def test_split() -> None:
    assert split(" ISBN:978-0-306-40615-7") == ("isbn", "978-0-306-40615-7")
    assert split("url:https://a.com/x") == ("url", "https://a.com/x")
    for text in ("9780306406157", "asin:B00", ""):
        with pytest.raises(BadIdentifier):
            split(text)


def fails(scheme: str, text: str) -> bool:
    try:
        normalise(scheme, text)
    except BadIdentifier:
        return True
    return False


ALPHABET = st.text("0123456789X-M ", min_size=6, max_size=18)


@given(ALPHABET)
def test_as_python_stdnum_decides(text: str) -> None:
    text = text.strip()
    if text and not isbn.compact(text).startswith("9790"):
        assert fails("isbn", text) != isbn.is_valid(text)
    if text:
        assert fails("issn", text) != issn.is_valid(text)
        assert fails("ismn", text) != ismn.is_valid(text)
        assert fails("isni", text) != isni.is_valid(text)


@given(st.text("0123456789", min_size=9, max_size=9))
def test_both_forms_of_an_isbn_are_one(digits: str) -> None:
    ten = digits + isbn._calc_isbn10_check_digit(digits)
    assert normalise("isbn", ten) == normalise("isbn", isbn.to_isbn13(ten)) == isbn.validate(ten, convert=True)


@given(st.text("0123456789ABCDEF", min_size=16, max_size=16), st.booleans())
def test_an_isan_with_or_without_its_check_character(digits: str, dashes: bool) -> None:
    full = isan.format(digits, add_check_digits=True)
    assert normalise("isan", full if dashes else isan.validate(full)) == normalise("isan", digits) == digits


@given(st.text("0123456789", min_size=15, max_size=15))
def test_isni_check_character(digits: str) -> None:
    assert normalise("isni", digits + mod_11_2.calc_check_digit(digits))


@given(st.from_regex(r"(KR|US|GB)-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5}", fullmatch=True))
def test_isrc_as_python_stdnum(text: str) -> None:
    assert normalise("isrc", text) == isrc.validate(text)


@given(st.text("0123456789", min_size=9, max_size=9))
def test_one_iswc_check_digit_fits(digits: str) -> None:
    assert sum(not fails("iswc", f"T{digits}{c}") for c in range(10)) == 1


@given(st.sampled_from(sorted(terms.SCHEMES)), st.text(max_size=60))
def test_any_text_is_normal_or_refused(scheme: str, text: str) -> None:
    try:
        value = normalise(scheme, text)
    except BadIdentifier:
        return
    assert normalise(scheme, value) == value
    assert "\x00" not in value


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=10)


@given(st.lists(LABEL, min_size=1, max_size=4), st.text("abcXYZ/", max_size=10), st.booleans())
def test_a_url_is_its_host_and_path(labels: list[str], path: str, secure: bool) -> None:
    host = ".".join([*labels, "example", "com"])
    scheme, port = ("https", 443) if secure else ("http", 80)
    plain = normalise("url", f"{host}/{path}")
    assert plain == f"{host}/{path}"
    for written in (
        f"{scheme}://{host.upper()}/{path}",
        f"{scheme}://{host}:{port}/{path}#x",
        f"{host}./{path}?utm_id=1",
    ):
        assert normalise("url", written) == plain


def test_real_isbns_and_domains() -> None:
    folder = next(
        (p for p in (Path("config/demo/data"), Path("../shared/data")) if (p / "web-domains-c4.csv").exists()), None
    )
    if folder is None:
        pytest.skip("the real data is not here")
    with (folder / "web-domains-c4.csv").open() as file:
        refused = [r["domain"] for r in csv.DictReader(file) if fails("domain", r["domain"])]
    assert sorted(refused) == ["209.105.242.143:7337", "gutenberg", "s2", "stack-dedup", "www.designsori.com:42161"]
