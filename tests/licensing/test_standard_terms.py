"""Standard terms: read strictly, the same in both languages, and once published never changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, Refusal
from accounts.organisations.models import Organisation
from licensing.licences import clauses, comparing, terms
from licensing.licences.conditions import Conditions
from licensing.licences.models import StandardTerms
from licensing.licences.services import terms as services
from licensing.tariffs.reading import BadDocument
from tests.accounts.people import actor, organisation, person
from tests.licensing.test_tariff_pages import signed_in, text

Document = dict[str, Any]


def clause(
    text: str = "Keep it for {retention_days}.", ko: str = "{retention_days} 동안 보유합니다.", **more: Any
) -> Document:
    return {
        "heading": {"en": "Copies", "ko": "복제본"}, "text": {"en": text, "ko": ko}, "when": "retention_days",
    } | more  # fmt: skip


def document(*entries: Document, **change: Any) -> Document:
    return {
        "terms": "STANDARD", "name": {"en": "Terms", "ko": "약관"}, "conditions": {"retention_days": 30},
        "clauses": list(entries) or [clause()],
    } | change  # fmt: skip


def problems(of: Any) -> dict[str, str]:
    with pytest.raises(BadDocument) as refused:
        clauses.parse(of)
    return {problem.pointer: problem.code for problem in refused.value.problems}


# How a document is read


def test_the_shipped_terms_hold_for_all_conditions_in_both_languages() -> None:
    shipped = clauses.parse(terms.shipped())
    for language in clauses.LANGUAGES:
        usual = dict(clauses.filled(shipped.clauses, shipped.conditions, language))
        assert not any("{" in said or "}" in said for said in usual.values())
    english = dict(clauses.filled(shipped.clauses, shipped.conditions, "en"))
    assert {"No sub-licensing", "Audit", "Reporting", "Payment", "Suspension", "Deletion at the end"} <= english.keys()
    assert "365 days" in english["How long copies are kept"]
    assert "200자" in dict(clauses.filled(shipped.clauses, shipped.conditions, "ko"))["출력물의 한도"]


def test_a_clause_goes_with_its_condition() -> None:
    shipped = clauses.parse(terms.shipped())
    loose = Conditions(
        retention_days=None, output_limit=None, sublicensing=True, deletion_days=None, audit_notice_days=None, reporting_months=None
    )  # fmt: skip
    english = dict(clauses.filled(shipped.clauses, loose, "en"))
    assert "Sub-licensing" in english and "Records" in english
    assert not {"No sub-licensing", "Audit", "Reporting", "How long copies are kept"} & english.keys()


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        (document(clause("{price}", "{price}")), "/clauses/0/text/en", "unknown_name"),
        (document(clause("{sublicensing}", "{sublicensing}")), "/clauses/0/text/en", "unknown_name"),
        (document(clause("open {", "열린 {")), "/clauses/0/text/en", "open_brace"),
        (document(clause(ko="보유합니다.")), "/clauses/0/text/ko", "names_differ"),
        (document(clause() | {"text": {"en": "only"}}), "/clauses/0/text/ko", "missing"),
        (document(clause(heading={"ko": "제목"})), "/clauses/0/heading/en", "missing"),
        (document(name={"en": "Terms", "ko": " "}), "/name/ko", "not_text"),
        (document(clause(when="output_limit")), "/clauses/0/when", "may_be_unset"),
        (document(clause(unless="output_limit")), "/clauses/0/unless", "when_and_unless"),
        (document(clause(when="price")), "/clauses/0/when", "unknown_term"),
        (document(clause("safe \u202e text")), "/clauses/0/text/en", "not_printable"),
        (document(clause("zero\u200bwidth")), "/clauses/0/text/en", "not_printable"),
        (document(clause("null\x00")), "/clauses/0/text/en", "not_printable"),
        (document(name={"en": "Te\u2066rms", "ko": "약관"}), "/name/en", "not_printable"),
        (document(clause("x" * 4001)), "/clauses/0/text/en", "too_long"),
        (document(conditions={"retention_days": -1}), "/conditions/retention_days", "out_of_range"),
        (document(conditions={"reporting_months": 5}), "/conditions/reporting_months", "unknown_period"),
        (document(conditions={"price": 1}), "/conditions/price", "unknown_key"),
        (document(terms="a b"), "/terms", "bad_form"),
        (document(clauses=[]), "/clauses", "not_a_list"),
        (document(extra=1), "/extra", "unknown_key"),
        ([], "", "not_an_object"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(wrong: Any, pointer: str, code: str) -> None:
    assert problems(wrong)[pointer] == code


KEYS = st.sampled_from(["terms", "name", "clauses", "conditions", "en", "ko", "text", "heading", "when"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@given(JSON)
def test_nothing_makes_the_reader_crash(value: Any) -> None:
    """Whatever stands in a document: it is used, or refused with what is wrong."""
    whole: Any
    for whole in (
        value,
        document(clauses=value),
        document(name=value),
        document(conditions=value),
        document(clause() | {"text": value}),
    ):
        outcome = _read(whole)
        assert outcome is None or outcome.problems


def _read(document: Any) -> BadDocument | None:
    try:
        clauses.parse(document)
    except BadDocument as refused:
        return refused
    return None


@given(st.integers(0, 3650))
def test_a_number_reads_well_in_both_languages(days: int) -> None:
    said = clauses.amount("retention_days", days, "en")
    assert said.endswith(" day" if days == 1 else " days")
    assert clauses.amount("retention_days", days, "ko").endswith("일")


def test_versions_are_compared_word_by_word() -> None:
    before, after = document(clause())["clauses"], document(clause("Keep it for {retention_days} only."))["clauses"]
    (change,) = comparing.clause_changes(before, after, "en")
    assert ("removed", "{retention_days}.") in change.pieces and ("added", "{retention_days} only.") in change.pieces
    assert "".join(text for kind, text in change.pieces if kind != "added").endswith("Keep it for {retention_days}.")
    gone = comparing.clause_changes(before, [], "en")
    assert [piece[0] for piece in gone[0].pieces] == ["removed"]
    assert comparing.clause_changes(before, before, "ko") == []


# Their life


@pytest.fixture
def society(db: None) -> Organisation:
    return organisation("KOMCA", "society")


def published(society: Organisation, wording: Document | None = None) -> StandardTerms:
    made = services.draft(actor=SYSTEM, society=society, document=wording or document())
    return services.publish(actor=SYSTEM, terms=made)


def test_a_published_version_gives_way_to_the_next_and_stays_as_it_was(society: Organisation) -> None:
    first = published(society)
    second = published(society, document(clause("Now for {retention_days}.")))
    first.refresh_from_db()
    assert (first.version, first.status, second.version, second.status) == (1, "superseded", 2, "published")
    assert StandardTerms.objects.published().get(society=society, ref="STANDARD") == second
    verbs = Event.objects.about("standard_terms", second.pk).values_list("verb", flat=True)
    assert list(verbs.order_by("id")) == ["standard_terms.drafted", "standard_terms.published"]


@pytest.mark.parametrize("field", ["clauses", "conditions", "name", "sha256", "version"])
def test_nobody_changes_what_was_published(society: Organisation, field: str) -> None:
    made = published(society)
    value = {"clauses": [], "conditions": {}, "name": "x", "sha256": "0" * 64, "version": 9}[field]
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        StandardTerms.objects.filter(pk=made.pk).update(**{field: value})
    with pytest.raises(Conflict):
        services.revise(actor=SYSTEM, terms=made, document=document(clause("Else {retention_days}.")))
    with pytest.raises(Conflict):
        services.discard(actor=SYSTEM, terms=made)
    assert not Event.objects.filter(verb__in=["standard_terms.revised", "standard_terms.discarded"]).exists()


def test_what_is_published_is_what_was_seen(society: Organisation) -> None:
    seen = services.draft(actor=SYSTEM, society=society, document=document())
    services.revise(
        actor=SYSTEM, terms=StandardTerms.objects.get(), document=document(clause("Else {retention_days}."))
    )
    with pytest.raises(Conflict):
        services.publish(actor=SYSTEM, terms=seen)
    assert StandardTerms.objects.get().status == "draft"


def test_the_same_text_is_not_published_twice(society: Organisation) -> None:
    published(society)
    again = services.draft(actor=SYSTEM, society=society, document=document())
    with pytest.raises(Refusal, match="same as the published"):
        services.publish(actor=SYSTEM, terms=again)


def test_only_the_society_writes_its_terms(society: Organisation) -> None:
    other = organisation("KORRA", "society")
    with pytest.raises(Forbidden):
        services.draft(actor=actor(other), society=society, document=document())
    with pytest.raises(Forbidden):
        services.draft(actor=actor(society, "repertoire"), society=society, document=document())
    assert not StandardTerms.objects.exists()


def test_an_import_again_changes_nothing(society: Organisation) -> None:
    outcomes = []
    for wording in (document(), document(), document(clause("Else {retention_days}."))):
        outcomes.append(services.import_terms(actor=SYSTEM, society=society, document=wording, published=True)[1])
    assert outcomes == ["created", "unchanged", "created"]
    assert list(StandardTerms.objects.order_by("version").values_list("status", flat=True)) == [
        "superseded",
        "published",
    ]


def test_the_command_says_each_problem(
    society: Organisation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.core.management import call_command

    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(terms.shipped(), ensure_ascii=False))
    bad.write_text(json.dumps(document(clause("{price}", "{price}"))))
    call_command("import_terms", str(good), "--society", "KOMCA", "--publish", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["terms"], said["version"], said["status"], said["created"]) == ("STANDARD", 1, "published", 1)
    with pytest.raises(SystemExit):
        call_command("import_terms", str(bad), "--society", "KOMCA", "--json")
    assert "/clauses/0/text/en" in capsys.readouterr().out


# Their pages


def filled_in(of: Document, **change: Any) -> dict[str, Any]:
    entered: dict[str, Any] = {
        "ref": of["terms"], "name_en": of["name"]["en"], "name_ko": of["name"]["ko"],
        "clauses-TOTAL_FORMS": len(of["clauses"]) + 1, "clauses-INITIAL_FORMS": len(of["clauses"]),
    }  # fmt: skip
    for name, value in Conditions.from_data(of["conditions"]).as_data().items():
        if value not in (None, False):
            entered[f"conditions-{name}"] = value
    for n, each in enumerate(of["clauses"]):
        for part in ("heading", "text"):
            for language in ("en", "ko"):
                entered[f"clauses-{n}-{part}_{language}"] = each[part][language]
        entered[f"clauses-{n}-holds"] = next((f"{s}:{each[s]}" for s in ("when", "unless") if s in each), "")
    return entered | change


def test_a_society_starts_from_the_shipped_text_and_publishes(society: Organisation) -> None:
    client = signed_in(person(society, "licensing"))
    assert "No sub-licensing" in text(client.get("/terms/new/"))
    answer = client.post("/terms/new/", filled_in(terms.shipped()), follow=True)
    made = StandardTerms.objects.get()
    assert made.clauses == terms.shipped()["clauses"] and "A draft." in text(answer)
    client.post(f"/terms/{made.pk}/publish/")
    made.refresh_from_db()
    assert made.status == "published"
    assert "Standard terms for the use of works by AI" in text(Client().get("/terms/"))


def test_a_problem_stands_at_its_field_and_an_emptied_clause_is_left_out(society: Organisation) -> None:
    client = signed_in(person(society))
    two = document(clause(), clause("Twice {retention_days}.", "두 번 {retention_days}."))
    emptied = {f"clauses-0-{name}": "" for name in ("heading_en", "heading_ko", "text_en", "text_ko")}
    wrong = filled_in(two, **emptied, **{"clauses-1-text_ko": "{price}"})
    answer = client.post("/terms/new/", wrong)
    assert "“price” is not a condition" in text(answer) and not StandardTerms.objects.exists()
    assert answer.context["writing"].clauses.forms[1].errors["text_ko"]
    client.post("/terms/new/", filled_in(two, **emptied))
    assert [each["text"]["en"] for each in StandardTerms.objects.get().clauses] == ["Twice {retention_days}."]


def test_anyone_reads_a_published_version_and_nobody_else_a_draft(society: Organisation) -> None:
    first = published(society)
    second = services.draft(actor=SYSTEM, society=society, document=document(clause("For {retention_days} at most.")))
    anyone = Client()
    assert anyone.get(f"/terms/{second.pk}/").status_code == 404
    assert anyone.get(f"/terms/{second.pk}/terms.json").status_code == 404
    assert "30 days" in text(anyone.get(f"/terms/{first.pk}/?language=en"))
    assert "30일" in text(anyone.get(f"/terms/{first.pk}/?language=ko"))
    assert clauses.parse(anyone.get(f"/terms/{first.pk}/terms.json").json())
    assert signed_in(person(organisation("KORRA", "society"))).get(f"/terms/{second.pk}/").status_code == 404
    own = text(signed_in(person(society)).get(f"/terms/{second.pk}/"))
    assert "What differs from version 1" in own and "<ins>" in own


@pytest.mark.parametrize("act", ["publish", "discard", "edit"])
def test_another_society_cannot_touch_them(society: Organisation, act: str) -> None:
    made = services.draft(actor=SYSTEM, society=society, document=document())
    client = signed_in(person(organisation("KORRA", "society")))
    assert client.post(f"/terms/{made.pk}/{act}/", filled_in(document())).status_code == 404
    kept = copy.deepcopy(made)
    made.refresh_from_db()
    assert (made.status, made.sha256) == (kept.status, kept.sha256)
