"""Which locations a reserved place speaks of: the rule, and the same rule in the engine."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from accounts.organisations.models import Organisation
from licensing.engine import connect
from licensing.engine.core import steps
from licensing.matching import MATCH, suffixes
from licensing.permissions import volume
from licensing.permissions.core import deadlines
from licensing.permissions.core.places import bounded, location_on, place_of, speaks_of
from licensing.permissions.models import Reservation
from licensing.permissions.services import reserved
from licensing.permissions.services.targets import Target
from licensing.repertoire.identifiers import BadIdentifier, normalise
from tests.licensing.parties import organisation


@pytest.mark.parametrize(
    ("reserved_as", "below", "beside"),
    [
        ("example.com", ["example.com", "sub.example.com", "example.com/a", "a.b.example.com/x?y"], ["example.org"]),
        ("https://Example.com/", ["example.com/", "example.com:8080/x"], ["badexample.com", "com"]),
        ("*.example.com", ["example.com", "www.example.com"], ["example.org"]),
        ("example.com/books/", ["example.com/books", "example.com/books/1"], ["example.com/bookshop", "example.com"]),
        ("example.com/books", ["example.com/books/"], ["sub.example.com/books", "example.com/Books"]),
        ("example.com/*.pdf$", ["example.com/a/b.pdf"], ["example.com/b.pdf?x", "example.com", "www.example.com/b.pdf"]),
        ("example.com/b/*_1", ["example.com/b/x_1", "example.com/b/x_12"], ["example.com/b/x1", "example.com/c/x_1"]),
        ("example.com/a?id=1", ["example.com/a?id=1"], ["example.com/a", "example.com/a?id=12"]),
        ("정산.kr", ["xn--zf4b78k.kr/a"], ["xn--zf4b78k.com"]),
    ],
)  # fmt: skip
def test_a_place_speaks_of_all_that_lies_below_it(reserved_as: str, below: list[str], beside: list[str]) -> None:
    place, pattern = place_of(reserved_as)
    assert [value for value in below if not speaks_of(place, pattern, [], value)] == []
    assert [value for value in beside if speaks_of(place, pattern, [], value)] == []


@pytest.mark.parametrize("text", ["", "co.kr", "https://co.kr/x", "localhost", "no host.com/x", "*", "/books"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(BadIdentifier):
        place_of(text)


def test_a_location_of_a_sites_own_file_is_the_beginning_of_paths() -> None:
    place, pattern = location_on("example.com", "/books")
    assert speaks_of(place, pattern, [], "example.com/bookshop/1")
    assert not speaks_of(place, pattern, ["/bookshop/"], "example.com/bookshop/1")
    assert location_on("example.com", "/*") == location_on("example.com", "") == ("example.com", "")


def test_a_pattern_of_many_wildcards_reserves_rather_more_and_excepts_rather_less() -> None:
    many = "/a*b*c*d*e*f"
    assert bounded(many) == "/a*b*c*d*"
    columns = Target.place("example.com/x", many, [many, "/x/"]).columns
    assert (columns["pattern"], columns["excepting"]) == ("/a*b*c*d*", ["/x/"])
    with pytest.raises(Refusal):
        Target.place("example.com", "/" + "x" * 3000)


def test_working_days_leave_out_weekends_and_the_countrys_holidays() -> None:
    friday = dt.date(2026, 9, 18)
    assert deadlines.working_days_after(friday, 5, "DE") == dt.date(2026, 9, 25)
    assert deadlines.working_days_after(friday, 5, "KR") == dt.date(2026, 9, 29)  # Chuseok: 24 and 25 September
    assert deadlines.working_days_after(friday, 5, "??") == dt.date(2026, 9, 25)


_hosts = st.sampled_from(["a.kr", "www.a.kr", "b.www.a.kr", "a.kr:81", "aa.kr"])
_segments = st.sampled_from(["x", "y_z", "%", "!", "xx", "X", "x.pdf"])
_values = st.builds(
    lambda host, path, slash, query: host + "".join(f"/{s}" for s in path) + (slash or ("/" if query else "")) + query,
    _hosts, st.lists(_segments, max_size=3), st.sampled_from(["", "/"]), st.sampled_from(["", "", "?x", "?q=%25"]),
)  # fmt: skip
_patterns = st.builds(
    lambda parts, end: "/" + "".join(parts) + end,
    st.lists(_segments | st.sampled_from(["/", "*", "_", "."]), max_size=5), st.sampled_from(["", "$"]),
)  # fmt: skip
_targets = st.tuples(
    st.builds(lambda host, pattern: location_on(host, pattern), _hosts, _patterns | st.just("/")),
    st.lists(_patterns, max_size=2, unique=True),
)


@pytest.fixture
def society(db: Any) -> Organisation:
    return organisation("KOLAA", "society")


_LITERALS = ["a.kr/y_z", "a.kr/yxz", "a.kr/%", "a.kr/x", "a.kr/!", "a.kr/!!"]


@example(
    [(location_on("a.kr", f"/{text}$"), [f"/{text}"]) for text in ("y_z", "%", "!", "x")],
    _LITERALS,
)
@example([(location_on("a.kr", f"/{text}$"), []) for text in ("y_z", "%", "!", "x")], _LITERALS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_targets, min_size=1, max_size=10), st.lists(_values, min_size=1, max_size=20, unique=True))
def test_the_engine_finds_the_same_locations_reserved(
    society: Organisation, targets: list[Any], values: list[str]
) -> None:
    values = sorted({normalise("url" if "/" in value or ":" in value else "domain", value) for value in values})
    aims = [Target.place(place, pattern, excepting) for (place, pattern), excepting in targets]
    by_rule = {
        (n, value)
        for n, aim in enumerate(aims)
        for value in values
        if speaks_of(aim.columns["place"], aim.columns["pattern"], aim.columns["excepting"], value)
    }
    with transaction.atomic():
        made = Reservation.objects.bulk_create([_received(society, aim, n) for n, aim in enumerate(aims)])
        numbers = {reservation.pk: n for n, reservation in enumerate(made)}
        by_engine = _reserved_on_the_engine(society, values)
        transaction.set_rollback(True)
    assert {(numbers[number], value) for number, value in by_engine} == by_rule


def _received(society: Organisation, aim: Target, n: int) -> Reservation:
    before = timezone.now() - dt.timedelta(days=9)
    return Reservation(
        ref=f"R-{n}", society=society, target=aim.kind, **aim.columns, uses=["train"], territory=["*"], source="staff",
        status="effective", received_at=before, effective_from=before,
    )  # fmt: skip


def _reserved_on_the_engine(society: Organisation, values: list[str]) -> list[tuple[int, str]]:
    """(reservation, value) of each pair, by `permit.sql`: each reservation asked alone, all values at once."""
    text = "VARCHAR"
    used = {"work_id": "BIGINT", "scheme": text, "value": text, "kind": text, "use": text, "unit": text,
            "used_on": "DATE", "dataset": text, "units": "DECIMAL(38,0)", "lines": "BIGINT"}  # fmt: skip
    today = timezone.localdate()
    lines = [(None, "url", value, "web", "train", "token", today, None, 1, 1) for value in values]
    with connect() as engine:
        reserved.load(engine, society.pk)
        engine.table("context", {"territory": text}, [("KR",)])
        engine.table("sought", {"scheme": text, "value": text}, [("url", value) for value in values])
        engine.table("identifier", {"scheme": text, "value": text, "work_id": "BIGINT"})
        engine.execute("CREATE VIEW reserved AS SELECT place FROM reservation WHERE place IS NOT NULL")
        suffixes.load(engine)
        engine.run(MATCH)
        engine.table("used", used, lines)
        engine.execute("ALTER TABLE reservation RENAME TO every_reservation")
        asked = [
            step
            for step in steps(volume.PERMIT.read_text(encoding="utf-8"))
            if step.name in ("reserving", "reserved_as_said")
        ]
        found: list[tuple[int, str]] = []
        for (number,) in engine.rows("SELECT id FROM every_reservation"):
            engine.execute(f"CREATE OR REPLACE VIEW reservation AS SELECT * FROM every_reservation WHERE id = {number}")
            for step in asked:
                engine.execute(f"CREATE OR REPLACE TABLE {step.name} AS {step.query}")
            found += [(number, value) for (value,) in engine.rows("SELECT value FROM reserved_as_said")]
        return found
