"""From the ordered list of a signal to reservations that stand by themselves, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from licensing.permissions.core.statements import Reserved, normal, reserved_by, stated
from licensing.signals.core import EVERYWHERE, Signal, Statement, covers
from licensing.terms import USES

USE = st.sampled_from(sorted(USES))
PIECES = st.lists(st.sampled_from(["a", "b", "/", "*", "c.pdf"]), max_size=5).map("".join)
PATTERN = st.builds(lambda text, end: f"/{text}{end}", PIECES, st.sampled_from(["", "", "$"]))
PREFIX = st.lists(st.sampled_from(["a/", "b/", "c"]), max_size=3).map(lambda parts: "/" + "".join(parts))
PATHS = st.lists(st.sampled_from(["a", "b", "/", "c.pdf", "x"]), max_size=6).map(lambda parts: "/" + "".join(parts))


def _statements(pattern: st.SearchStrategy[str]) -> st.SearchStrategy[list[Statement]]:
    one = st.builds(Statement, location=pattern, reserved=st.frozensets(USE), allowed=st.just(frozenset()))
    return st.lists(one, max_size=5)


def _reserved(pattern: st.SearchStrategy[str]) -> st.SearchStrategy[list[Reserved]]:
    excepting = st.lists(pattern, max_size=2).map(tuple)
    one = st.builds(Reserved, pattern=pattern, excepting=excepting, uses=st.frozensets(USE, min_size=1))
    return st.lists(one, max_size=4)


def _at(reserved: list[Reserved], path: str) -> frozenset[str]:
    """The uses that reservations, each by itself, reserve at a path."""
    return frozenset().union(
        *(
            each.uses
            for each in reserved
            if covers(each.pattern, path) and not any(covers(other, path) for other in each.excepting)
        )
    )


def _spoken(statements: tuple[Statement, ...] | list[Statement], path: str) -> frozenset[str]:
    said = Signal("tdmrep", "", tuple(statements)).speaks(path)
    return said.reserved if said else frozenset()


@given(statements=_statements(PATTERN), path=PATHS)
def test_reservations_say_at_every_path_what_the_first_statement_that_covers_it_says(
    statements: list[Statement], path: str
) -> None:
    assert _at(reserved_by(statements), path) == _spoken(statements, path)


@given(reserved=_reserved(PREFIX), path=PATHS)
def test_plain_paths_are_stated_exactly(reserved: list[Reserved], path: str) -> None:
    assert _spoken(stated(reserved), path) == _at(reserved, path)


@given(reserved=_reserved(PATTERN), path=PATHS)
def test_no_list_reserves_less_than_the_reservations_it_is_made_of(reserved: list[Reserved], path: str) -> None:
    assert _spoken(stated(reserved), path) >= _at(reserved, path)


@given(reserved=_reserved(PREFIX), path=PATHS)
def test_what_is_stated_and_read_again_reserves_the_same(reserved: list[Reserved], path: str) -> None:
    assert _at(reserved_by(stated(reserved)), path) == _at(reserved, path)


def test_a_use_that_an_exception_frees_is_said_to_be_free() -> None:
    free, rest = stated(
        [Reserved("/", ("/press/",), frozenset({"train", "index"})), Reserved("/press/", (), frozenset({"index"}))]
    )
    assert (free.location, sorted(free.reserved), sorted(free.allowed)) == ("/press/", ["index"], ["train"])
    assert (rest.location, sorted(rest.reserved)) == ("/", ["index", "train"])


def test_an_exception_for_one_country_does_not_hide_the_rest() -> None:
    here, everywhere = Statement("/a/", frozenset({"train"}), territory=("KR",)), Statement("/", frozenset({"train"}))
    assert [(r.pattern, r.excepting, r.territory) for r in reserved_by([here, everywhere])] == [
        ("/a/", (), ("KR",)),
        ("/", ("/a/",), ("*",)),
    ]


def test_a_star_at_the_end_says_nothing() -> None:
    assert {normal(text) for text in ("", "/", "/*", "*", "/**$")} == {EVERYWHERE}
    assert normal("/b/*") == "/b/" and normal("/b$") == "/b$" and normal("/b*.pdf") == "/b*.pdf"
