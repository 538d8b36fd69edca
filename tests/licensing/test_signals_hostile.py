"""Whatever strangers put into a file: it is read within bounds, or named as a problem; nothing is raised, fetched or run."""

import io
import json
import zipfile
import zlib

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.signals import cawg, content_usage, epub, markup, pdf, readers, robots, rsl, tdmai, tdmrep
from licensing.signals.core import EVERYTHING, MOST_BYTES, Signal

from .test_signals_files import CONTAINER, book, document, package, xmp

LAUGHS = (
    '<!DOCTYPE r [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
EXTERNAL = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b SYSTEM "http://127.0.0.1:9/">]>'
RSL = (
    '<rsl xmlns="https://rslstandard.org/rsl"><content url="/&a;"><license>'
    '<prohibits type="usage">ai-train</prohibits></license></content></rsl>'
)


@pytest.mark.parametrize("prologue", [LAUGHS, EXTERNAL])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_defines_entities_is_not_read(prologue, encoding):
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    signal = rsl.read((declaration + prologue + RSL.replace("&a;", "&b;")).encode(encoding))
    assert signal.statements == () and signal.problems
    opf = (declaration + prologue + package('<meta property="tdm:reservation">&a;</meta>')).encode(encoding)
    assert epub.read(book(opf=opf)).statements == ()
    assert pdf.read(document(packet=(declaration + prologue).encode(encoding) + xmp(">"))).statements == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0",
        b"\xff\xfe\xfa",
        b"<",
        b"<rsl",
        b"<rsl></content></rsl>",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 60 + b"1" + b"]" * 60,
        b'{"entries": {"cawg.ai_training": {"use": [[[[]]]]}}}',
        b"[" + b"9" * 10_000 + b"]",
        b'[{"location": "/", "tdm-reservation": 1e999, "tdm-policy": {}}, NaN]',
        b'[{"location": {"a": 1}, "tdm-reservation": 1}, {"location": "/\\ud800", "tdm-reservation": 1}]',
        b'{"iscc": 5, "all": {}}',
        b'{"iscc": "ISCC:KACT4EBWK27737D2", "all": {"a": []}, "search": ["false"]}',
        b'{"manifests": [1], "assertions": {"a": 1}, "label": 7, "entries": "x"}',
        b'{"assertions": [[], null, {"label": "cawg.training-mining", "data": []}]}',
        b"PK\x03\x04",
        b"%PDF-1.7",
        b"%PDF-1.7\ntrailer<</Root 1 0 R>>",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n\0\0",
        b"<html><meta name='tdm-reservation' content='\0'>",
        b'<rsl xmlns="https://rslstandard.org/rsl"><content url="http://[">x</content><content url="::"/></rsl>',
        b"User-agent\nDisallow\n:\n: :\n",
        b"Content-Usage: \xff\xff=n",
        b"x" * 100_000,
    ],
)
def test_nonsense_states_nothing_and_raises_nothing(raw):
    for reader in readers.READERS.values():
        signal = reader(raw)
        assert signal is None or not any(each.reserved for each in signal.statements) or b"location" in raw
    assert isinstance(readers.read_file("x", "", raw), Signal)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(readers.READERS)))
def test_no_bytes_make_a_reader_raise(raw, source):
    signal = readers.READERS[source](raw)
    assert signal is None or isinstance(signal, Signal)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["location", "tdm-reservation", "tdm-policy", "iscc", "all", "search", "entries", "use", "label", "data",
             "assertions", "manifests", "cawg.ai_training"]
        ),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_no_json_makes_a_reader_raise(value):
    raw = json.dumps(value).encode()
    for read in (tdmrep.read, cawg.read, tdmai.read):
        assert isinstance(read(raw), Signal)


def test_of_a_robots_txt_of_a_hundred_megabytes_the_beginning_counts():
    raw = b"User-agent: GPTBot\nDisallow: /books/\n" + b"# filler\n" * 11_000_000
    signal = robots.read(raw)
    assert signal.speaks("/books/1").reserved == {"train", "finetune"}
    assert len(signal.raw) <= MOST_BYTES["robots"] and signal.problems


def test_a_robots_txt_is_not_cut_within_a_line():
    filler = b"#" + b"x" * (MOST_BYTES["robots"] - 60) + b"\n"
    signal = robots.read(filler + b"User-agent: GPTBot\nDisallow: /a-long-path-that-is-cut-somewhere-here/\n")
    assert signal.speaks("/a-lo") is None or signal.speaks("/a-lo").reserved == frozenset()


def test_a_robots_txt_of_very_many_rules_takes_seconds_at_most_and_keeps_the_widest():
    lines = [f"Disallow: /{n}*x{n}*" for n in range(20_000)]
    signal = robots.read("\n".join(["User-agent: *", *lines, "Disallow: /*private"]).encode())
    assert any("too many paths" in problem for problem in signal.problems)
    stars = "User-agent: *\n" + f"Disallow: {'/*' * 1_000}secret\n" * 10 + f"Allow: {'/*' * 1_000}open\n"
    signal = robots.read(stars.encode())
    assert signal.speaks("/" + "/" * 50 + "a").reserved == EVERYTHING


def test_a_robots_txt_with_bytes_that_are_no_text_is_read_line_by_line():
    signal = robots.read(b"User-agent: GPTBot\nDisallow: /\xc7\xd1\xb1\xdb/\nDisallow: /b\0ooks/\n")
    assert signal.speaks("/%C7%D1%B1%DB/1").reserved == {"train", "finetune"}
    assert signal.speaks("/books/").reserved == {"train", "finetune"}
    assert len(signal.problems) == 2


@pytest.mark.parametrize(("read", "source"), [(tdmrep.read, "tdmrep"), (rsl.read, "rsl"), (tdmai.read, "tdmai")])
def test_a_document_that_is_too_long_is_not_read_at_all(read, source):
    signal = read(b"[" + b" " * MOST_BYTES[source] + b"]")
    assert signal.statements == () and "longer than" in signal.problems[0]


def test_of_a_long_page_the_beginning_counts():
    page = b'<meta name="tdm-reservation" content="1">' + b"<p>x" * 1_000_000
    signal = markup.read(page)
    assert signal.statements[0].reserved == EVERYTHING and "first" in signal.problems[0]
    nested = markup.read(b"<div>" * 200_000 + b'<meta name="tdm-reservation" content="1">')
    assert nested is None or isinstance(nested, Signal)


def test_a_long_header_is_read_to_its_bound():
    signal = content_usage.read(b"train-ai=n, " * 100_000)
    assert len(signal.raw) == MOST_BYTES["content-usage"] and signal.problems


def test_a_book_that_unpacks_to_too_much_is_not_unpacked():
    bomb = book(opf=package("<meta>" + " " * 50_000_000 + "</meta>"))
    assert len(bomb) < 200_000
    signal = epub.read(bomb)
    assert signal.statements == () and "longer than" in signal.problems[0]


def test_a_book_that_lies_about_sizes_and_names_is_not_read():
    honest = book('<meta property="tdm:reservation">1</meta>')
    for at in range(0, len(honest), 37):
        damaged = honest[:at] + b"\xff\xff\xff" + honest[at + 3 :]
        assert isinstance(epub.read(damaged), Signal)
    assert epub.read(book(container="<container/>")).problems
    outside = CONTAINER.replace("OEBPS/content.opf", "../../etc/passwd")
    assert epub.read(book(container=outside)).statements == ()


def test_a_book_of_very_many_files_is_not_read():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for n in range(3_000):
            archive.writestr(str(n), "")
    assert epub.read(packed.getvalue()).problems


def test_a_pdf_whose_metadata_unpacks_to_too_much_is_not_read():
    packed = zlib.compress(b" " * 100_000_000)
    raw = (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/Metadata 3 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[4 0 R]/Count 1>>endobj\n4 0 obj<</Type/Page/Parent 2 0 R>>endobj\n"
        b"3 0 obj<</Type/Metadata/Filter/FlateDecode/Length %d>>stream\n%s\nendstream endobj\n"
        b"trailer<</Root 1 0 R>>\n%%%%EOF" % (len(packed), packed)
    )
    assert len(raw) < 200_000
    signal = pdf.read(raw)
    assert signal.statements == () and "longer than" in signal.problems[0]


def test_a_damaged_pdf_is_a_problem():
    honest = document(reservation="1")
    for at in range(0, len(honest), 53):
        assert isinstance(pdf.read(honest[:at] + b"\xff\0<<" + honest[at + 4 :]), Signal)
    assert isinstance(pdf.read(honest[: len(honest) // 2]), Signal)


def test_a_locked_pdf_is_a_problem():
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(document(reservation="1"))) as opened:
        opened.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    assert "damaged or locked" in pdf.read(locked.getvalue()).problems[0]


def test_a_picture_of_empty_chunks_alone_is_not_walked_through(monkeypatch):
    """Sixty megabytes of them kept a page busy for half a minute: the reader of credentials never sees them."""
    monkeypatch.setattr(cawg.c2pa.Reader, "try_create", lambda *_what, **_options: pytest.fail("it was read"))
    signal = readers.read_file("a.png", "", b"\x89PNG\r\n\x1a\n" + bytes(60_000_000))
    assert signal is not None
    assert signal.problems == ("The content credentials could not be read.",)
