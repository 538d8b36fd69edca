"""The tariff editor: a document as fields and back, its buttons, and its page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.organisations.models import Organisation
from licensing import terms
from licensing.tariffs import editing, examples
from licensing.tariffs.core import digest, parse
from licensing.tariffs.models import TariffVersion
from tests.accounts.people import organisation, person
from tests.licensing.parties import determined
from tests.licensing.tariff_documents import charge, tariff

PER = st.integers(1, 10**15)
PRICE = st.decimals(0, 10**6, places=4).map(str)
TEXT = st.text(st.characters(categories=("L", "Nd", "Pd", "Po")), min_size=1, max_size=12)
SCOPE = {
    "uses": st.sampled_from([["*"], ["train"], ["train", "ground"], ["ground", "train"]]),
    "kinds": st.sampled_from([["*"], ["book"]]),
}


@st.composite
def charges(draw: st.DrawFn) -> dict[str, Any]:
    """A charge of any model; scope that says any is written out or left out where it may be."""
    model = draw(st.sampled_from(["flat", "per_unit", "graduated", "volume", "package", "per_work", "percentage"]))
    counted = model in ("per_unit", "graduated", "volume", "package")
    count = draw(TEXT.filter(lambda name: name not in terms.UNITS)) if counted and draw(st.booleans()) else ""
    entry: dict[str, Any] = {"model": model, "name": draw(TEXT)}
    scope = {key: draw(codes) for key, codes in SCOPE.items()}
    entry |= {
        key: codes for key, codes in scope.items() if codes != ["*"] or (counted and not count) or draw(st.booleans())
    }
    if counted:
        entry |= {"count": count} if count else {"unit": draw(st.sampled_from(list(terms.UNITS)))}
    if draw(st.booleans()):
        entry["licensee_tiers"] = draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))
    own = {"amount": PRICE, "per": PER, "size": PER, "price": PRICE, "base": TEXT, "percent": st.just("2.5")}
    entry |= {key: draw(own[key]) for key in editing.keys_of(model)}
    if editing.has_tiers(entry):
        bounds = sorted(draw(st.lists(st.integers(1, 10**18), max_size=4, unique=True)))
        entry["tiers"] = [*({"up_to": bound, "price": draw(PRICE)} for bound in bounds), {"price": draw(PRICE)}]
    return entry


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    entries = draw(st.lists(charges(), min_size=1, max_size=4, unique_by=lambda entry: entry["name"]))
    document = tariff(*entries, name=draw(TEXT), combine=draw(st.sampled_from(["sum", "greatest"])))
    document |= draw(st.sampled_from([{}, {"minimum": "5", "cap": "9.5"}, {"valid_to": "2027-01-01"}]))
    document |= draw(st.sampled_from([{}, {"period_months": 12}, {"self_service": {"months": 12, "tiers": ["small"]}}]))
    return document


def through_a_form(fields: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The fields as a browser sends them back."""
    sent = QueryDict(mutable=True)
    for name, values in fields.items():
        sent.setlist(name, [value.replace("\n", "\r\n") for value in values])
    return {name: list(values) for name, values in QueryDict(sent.urlencode()).lists()}


@given(documents(), st.sets(st.integers(0, 3)) | st.none())
def test_a_document_comes_back_from_its_fields_as_it_was(document: dict[str, Any], opened: set[int] | None) -> None:
    back, open_now = editing.read(through_a_form(editing.write(document, opened)))
    assert back == document
    assert open_now == {n for n in range(len(document["charges"])) if opened is None or n in opened}


@pytest.mark.parametrize("name", list(examples.EXAMPLES))
def test_every_example_comes_back_from_its_fields_as_it_was(name: str) -> None:
    document = examples.read(name)
    back, _opened = editing.read(through_a_form(editing.write(document)))
    assert digest(back) == digest(document)


def test_other_ways_to_write_the_same_tariff_keep_its_meaning() -> None:
    """Left out, null, `*` or grouped digits: read the same before and after."""
    document = tariff(
        charge("flat", amount="5", uses="*", kinds=["*"], unit="*", licensee_tiers=[]),
        charge("volume", per=1, tiers=[{"up_to": 9, "price": "2"}, {"up_to": None, "price": "1"}], uses=["ground", "train"]),
    )  # fmt: skip
    del document["combine"], document["cap"]
    back, _opened = editing.read(editing.write(document))
    assert parse(back) == parse(document)
    fields = editing.write(document)
    fields["charges-1-tiers-0-up_to"], fields["charges-0-amount"] = ["1,000"], [" 1,234.5 "]
    back, _opened = editing.read(fields)
    assert (back["charges"][1]["tiers"][0]["up_to"], back["charges"][0]["amount"]) == (1000, "1234.5")


NAMES = [
    "charges",
    "version",
    "minimum",
    *(f"charges-0-{key}" for key in ("tiers", "json", "was", "model", "uses", "per")),
]


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.text(max_size=30), max_size=2)))
def test_no_field_makes_the_editor_fail(fields: dict[str, list[str]]) -> None:
    document, opened = editing.read(fields)
    editing.write(*editing.act(document, opened, "tier:0"))


@pytest.mark.parametrize(
    "carried",
    [
        '{"model": ["x"], "tiers": {"a": 1}, "uses": {"a": 2}, "name": {"b": 1}, "count": [], "licensee_tiers": 5}',
        '{"model": "graduated", "per": 1e999, "tiers": [1, {"price": [2]}, [3]]}',
        '{"model": "flat", "name": "\\ud800", "amount": [1]}',
        "[" * 5000,
        "[]",
    ],
)
def test_what_a_form_carries_may_be_anything(client: Client, carried: str) -> None:
    for do in ("open:0", "tier:0", "untier:0:0", "save", "download"):
        sent = {"charges": "1", "charges-0-json": carried, "do": do}
        assert client.post("/tariffs/draft/", sent).status_code == 200, do
        assert (
            client.post("/tariffs/draft/", {**sent, "charges-0-was": carried, "charges-0-json": ""}).status_code == 200
        ), do
    assert client.post("/tariffs/draft/preview/", sent).status_code == 200


def test_the_buttons_change_the_charges() -> None:
    document = tariff(*(charge("flat", name, amount="1") for name in "abc"))

    def names(do: str, opened: set[int] = frozenset()) -> tuple[list[str], set[int]]:  # type: ignore[assignment]
        after, open_now = editing.act(document, opened, do)
        return [entry["name"] for entry in after["charges"]], open_now

    assert names("up:2", {2}) == (["a", "c", "b"], {1})
    assert names("down:0") == (["b", "a", "c"], set())
    assert names("remove:1", {2}) == (["a", "c"], {1})
    assert names("add") == (["a", "b", "c", ""], {3})
    for nothing in ("up:0", "down:2", "remove:9", "remove", "", "nonsense:1"):
        assert names(nothing)[0] == ["a", "b", "c"], nothing


def test_tiers_are_added_before_the_open_one_and_removed() -> None:
    document = tariff()
    after, opened = editing.act(document, set(), "tier:0")
    assert [tier.get("up_to") for tier in after["charges"][0]["tiers"]] == [10**9, 10**10, None, None]
    assert opened == {0}
    after, _opened = editing.act(document, set(), "untier:0:0")
    assert [tier.get("up_to") for tier in after["charges"][0]["tiers"]] == [10**10, None]


def test_what_is_added_is_bounded() -> None:
    many = tariff(*(charge("flat", f"c{n}", amount="1") for n in range(200)))
    assert len(editing.act(many, (), "add")[0]["charges"]) == 200
    tall = tariff(charge("volume", per=1, tiers=[{"price": "1"}] * 100))
    assert len(editing.act(tall, (), "tier:0")[0]["charges"][0]["tiers"]) == 100
    fields = editing.write(many, editing.within(many, range(200), {150}))
    assert sum(map(len, fields.values())) < 900, "a form may send a thousand fields"
    assert "charges-150-name" in fields
    assert editing.read(fields)[0] == many


# ── The page ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def society(db: None) -> Organisation:
    return organisation("WEB-SOCIETY", "society", name="Web Society")


@pytest.fixture
def client(society: Organisation) -> Client:
    found = Client()
    found.force_login(person(society, "licensing"))
    return found


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def sent(document: dict[str, Any], do: str, **more: Any) -> dict[str, Any]:
    return {**editing.write(document), "do": do, **more}


def test_a_draft_is_written_from_nothing_saved_and_revised(client: Client) -> None:
    assert "Draft a tariff" in text(client.get("/tariffs/draft/"))
    answer = client.post("/tariffs/draft/", sent(tariff(), "save"), follow=True)
    assert "The draft is saved" in text(answer)
    version = TariffVersion.objects.get()
    assert (version.status, version.document) == ("draft", tariff())
    assert answer.redirect_chain[-1][0] == f"/tariffs/versions/{version.pk}/edit/"
    client.post(f"/tariffs/versions/{version.pk}/edit/", sent(tariff(minimum="7"), "save"))
    version.refresh_from_db()
    assert version.document["minimum"] == "7"


def test_a_draft_that_is_wrong_says_so_at_its_fields_and_is_not_kept(client: Client) -> None:
    wrong = tariff(charge("volume", per="x", tiers=[{"price": "1"}, {"price": "y"}], uses=[]), valid_from="")
    shown = text(client.post("/tariffs/draft/", sent(wrong, "save")))
    for place, detail in (
        ("ed-valid_from", "Choose a day."),
        ("ed-charges-0-per", "Write a whole number."),
        ("ed-charges-0-uses", "Fill this in."),
        ("ed-charges-0-tiers-0-up_to", "Fill this in."),
        ("ed-charges-0-tiers-1-price", "Write a number such as 0.05"),
    ):
        assert f'<a href="#{place}">' in shown, place
        slot = shown.split(f'id="{place}_slot"')[1].split("</div>")[0]
        assert detail in slot, place
    assert not TariffVersion.objects.exists()
    refused = client.post("/tariffs/draft/", sent(wrong, "save"), headers={"HX-Request": "true"})
    assert refused.status_code == 422


def test_a_version_that_exists_is_not_overwritten(client: Client, society: Organisation) -> None:
    determined(society)
    shown = text(client.post("/tariffs/draft/", sent(tariff(minimum="7"), "save")))
    assert "Not saved." in shown
    assert TariffVersion.objects.get().document == tariff()


def test_buttons_redraw_the_form_without_a_script(client: Client) -> None:
    shown = text(client.post("/tariffs/draft/", sent(tariff(), "add")))
    assert "Charge 2" in shown
    assert 'name="charges-1-name"' in shown
    shown = text(client.post("/tariffs/draft/", sent(tariff(), "tier:0")))
    assert 'name="charges-0-tiers-3-price"' in shown
    shown = text(client.post("/tariffs/draft/", sent(tariff(), "close:0")))
    assert 'name="charges-0-json"' in shown
    assert "each tier at its own price" in shown
    changed = editing.write(tariff()) | {"charges-0-model": ["percentage"], "do": ["check"]}
    shown = text(client.post("/tariffs/draft/", changed))
    assert 'name="charges-0-base"' in shown
    assert 'name="charges-0-per"' not in shown


def test_the_preview_shows_the_amount_with_its_steps(client: Client) -> None:
    figures = {"use": "train", "kind": "web", "units_token": "20858600725"}
    shown = text(client.post("/tariffs/draft/preview/", sent(tariff(), "", **figures)))
    assert "₩428,586" in shown
    assert "10,858,600,725 tokens × ₩0.01 ÷ 1,000" in shown
    assert 'id="figures"' in shown
    only = text(client.post("/tariffs/draft/preview/?figures=1", sent(tariff(), "", **figures)))
    assert "₩428,586" in only
    assert 'id="figures"' not in only, "what is being typed in stays"


def test_the_preview_asks_for_what_the_tariff_counts(client: Client) -> None:
    document = examples.read("greatest-of-revenue-and-subscribers")
    shown = text(client.post("/tariffs/draft/preview/", sent(document, "", count_0="1000", base_0="1,000,000")))
    assert "Subscribers" in shown
    assert "₩300,000" in shown
    assert "Greatest of the charges" in shown


def test_figures_are_kept_while_the_tariff_cannot_be_read(client: Client) -> None:
    broken = sent(tariff(charge("volume", per=1, tiers=[{"price": ""}])), "tier:0", units_token="77", use="ground")
    shown = text(client.post("/tariffs/draft/", broken))
    assert '<input type="hidden" name="units_token" value="77">' in shown
    assert '<input type="hidden" name="use" value="ground">' in shown
    assert 'id="figures"' not in text(client.post("/tariffs/draft/preview/", broken)), (
        "what was typed stays in its field"
    )


def test_the_preview_says_what_is_wrong(client: Client) -> None:
    shown = text(client.post("/tariffs/draft/preview/", sent(tariff(name=""), "")))
    assert "1 thing is still to be put right." in shown
    assert 'id="ed-name_slot" hx-swap-oob="true"> <ul class="errorlist"' in shown.replace('"><ul', '"> <ul')
    assert client.post("/tariffs/draft/preview/").status_code == 200
    assert client.get("/tariffs/draft/preview/").status_code == 405


@pytest.mark.parametrize("by", ["json", "file"])
def test_json_fills_the_fields(client: Client, by: str) -> None:
    document = examples.read("lesson-levy")
    body = json.dumps(document)
    given = {"json": body} if by == "json" else {"file": SimpleUploadedFile("t.json", body.encode())}
    shown = text(client.post("/tariffs/draft/", sent(tariff(), "fill", **given)))
    assert 'value="LESSON-LEVY"' in shown
    assert "students, college" in shown


@pytest.mark.parametrize("body", ["", "{", "[]", '{"tariff": 1}', '{"charges": {}, "x": 1}', "\x7b" * 2000])
def test_json_that_cannot_fill_the_fields_leaves_them_as_they_were(client: Client, body: str) -> None:
    answer = client.post("/tariffs/draft/", sent(tariff(), "fill", json=body))
    assert answer.status_code == 200
    shown = text(answer)
    assert "This document cannot fill the fields." in shown
    assert "Web text for training" in shown


def test_a_document_is_downloaded_as_it_stands(client: Client) -> None:
    answer = client.post("/tariffs/draft/", sent(tariff(), "download"))
    assert json.loads(answer.content) == tariff()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="WEB-v1.json"'
    odd = client.post("/tariffs/draft/", sent(tariff(tariff='a"/../b\r\n'), "download"))
    assert odd.headers["Content-Disposition"] == 'attachment; filename="a..b-v1.json"'


@pytest.mark.parametrize("name", list(examples.EXAMPLES))
def test_each_example_opens_ready_to_try(client: Client, name: str) -> None:
    shown = text(client.get("/tariffs/draft/", {"example": name}))
    assert "to be put right" not in shown
    assert "It comes to" in shown
    assert "Not priced." not in shown
    assert "is not given" not in shown


def test_a_new_version_starts_from_the_one_in_force(client: Client, society: Organisation) -> None:
    version = determined(society)
    shown = text(client.get("/tariffs/draft/", {"tariff": version.tariff_id}))
    assert 'name="version" value="2"' in shown
    assert "training tokens" in shown
    for odd in ("x", "9" * 30, "²", "999"):
        assert client.get("/tariffs/draft/", {"tariff": odd}).status_code == 200


def test_only_the_society_edits_and_only_its_draft(client: Client, society: Organisation) -> None:
    client.post("/tariffs/draft/", sent(tariff(), "save"))
    address = f"/tariffs/versions/{TariffVersion.objects.get().pk}/edit/"
    for kind, of in (("licensing", "OTHER"), ("finance", "WEB-SOCIETY")):
        other = Client()
        where = society if of == society.ref else organisation(of, "society")
        other.force_login(person(where, kind))
        for answer in (other.get(address), other.post(address, sent(tariff(minimum="1"), "save"))):
            assert answer.status_code in (403, 404)
    assert Client().get("/tariffs/draft/").status_code == 302
    version = determined(society, tariff(version=2))
    fixed = client.post(f"/tariffs/versions/{version.pk}/edit/", sent(tariff(version=2, minimum="1"), "save"))
    assert fixed.headers["Location"] == f"/tariffs/{version.tariff_id}/?version=2"
    version.refresh_from_db()
    assert version.document == tariff(version=2)


def test_the_editor_speaks_korean(client: Client) -> None:
    assert client.get("/tariffs/draft/", headers={"Accept-Language": "ko"}).status_code == 200
