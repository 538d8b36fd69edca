"""Near copies by ISCC: fewer than 40 of 256 bits differ, in proportion for shorter codes; the engine finds the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.engine import connect
from licensing.permissions import volume
from licensing.permissions.core.iscc import Content, content_of, near
from tests.licensing.permission_cases import encoded

BODY = int("5A" * 32, 16)


def content(code: str) -> Content:
    found = content_of(code)
    assert found is not None
    return found


def test_published_codes_are_read() -> None:
    # ISO 24138's own example of a composite code, and its content unit written alone.
    composite = content("KACYPXW445FTYNJ3CYSXHAFJMA2HUWULUNRFE3BLHRSCXYH2M5AEGQY")
    assert composite == content("EAARMJLTQCUWAND2")
    assert (composite.form, composite.bits) == (0, 64)


@pytest.mark.parametrize(("bits", "most"), [(256, 39), (192, 29), (128, 19), (64, 9)])
def test_a_near_copy_differs_in_fewer_than_40_of_256_bits(bits: int, most: int) -> None:
    body = BODY >> (256 - bits)
    original = content(encoded(body, bits))
    assert near(original, content(encoded(body ^ ((1 << most) - 1), bits)))
    assert not near(original, content(encoded(body ^ ((1 << most + 1) - 1), bits)))


def test_a_short_code_is_the_beginning_of_a_long_one() -> None:
    assert near(content(encoded(BODY, 256)), content(encoded(BODY >> 192, 64)))
    assert near(content(encoded(BODY, 256)), content(encoded(BODY >> 160, 96)))
    assert not near(content(encoded(BODY, 256)), content(encoded(BODY & (2**64 - 1) ^ (2**63 - 1), 64)))


def test_contents_of_different_media_or_versions_are_never_near() -> None:
    text, image, later = (content(encoded(BODY, 256, **form)) for form in ({}, {"subtype": 1}, {"version": 1}))
    assert not near(text, image) and not near(text, later)


@pytest.mark.parametrize(
    "code",
    [
        encoded(1, 64, main=0),  # a name is no content
        encoded(1, 64, main=3),  # nor are plain bytes
        encoded(1, 32),  # too short to say
        encoded(1, 64, length=3),  # cut off
        encoded(1, 128, main=5, subtype=5),  # a composite of data alone
        encoded(1, 128, main=5, length=4),  # a composite without content
        "A",
        "EA",
    ],
)
def test_a_code_without_content_is_near_nothing(code: str) -> None:
    assert content_of(code) is None


_sizes = st.sampled_from([32, 64, 96, 128, 160, 192, 224, 256])
_bodies = st.sampled_from([BODY, BODY ^ (2**256 - 1), 1 << 255])
_flips = st.lists(st.integers(0, 255), max_size=60, unique=True)


@st.composite
def codes(draw: st.DrawFn) -> str:
    bits = draw(_sizes)
    body = draw(_bodies) ^ sum(1 << flip for flip in draw(_flips))
    if draw(st.booleans()):
        return encoded(body >> (256 - bits), bits, subtype=draw(st.integers(0, 2)))
    units = draw(st.integers(0, 7))
    return encoded(body, 256, main=5, length=units)


@settings(max_examples=40)
@given(st.lists(codes(), min_size=1, max_size=12, unique=True), st.lists(codes(), min_size=1, max_size=12, unique=True))
def test_the_engine_finds_the_same_near_copies(sought: list[str], reserved: list[str]) -> None:
    with connect() as engine:
        volume.near_codes(engine, sought, reserved)
        found = set(engine.rows("SELECT code, reserved FROM near"))
    read = {code: content_of(code) for code in [*sought, *reserved]}
    assert found == {
        (one, other)
        for one in sought
        for other in reserved
        if (a := read[one]) is not None and (b := read[other]) is not None and near(a, b)
    }
