"""Rates are set in public: drafted, published with reasons, decided by a rate body and never by the society."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.access.models import Membership
from accounts.evidence.models import Event
from accounts.identity.core import NOBODY, SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice
from config.actors import actor_of_user
from licensing.tariffs import services
from licensing.tariffs.models import Decision, Tariff, TariffVersion
from licensing.tariffs.reading import BadDocument
from tests.accounts import people
from tests.licensing.parties import determined, staff
from tests.licensing.rate_setting import CLOSES, DAY, DECIDE_BY, TODAY, Clock, Parties, parties
from tests.licensing.tariff_documents import charge, tariff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def all_of(db: Any, clock: Clock) -> Parties:
    return parties()


def code(refused: Any, act: Any) -> str:
    with pytest.raises(refused) as caught:
        act()
    return str(caught.value.code)


def verbs(version: TariffVersion) -> list[str]:
    events = Event.objects.about("tariff_version", version.pk).order_by("id")
    return [verb.removeprefix("tariff_version.") for verb in events.values_list("verb", flat=True)]


# Drafting


def test_a_draft_is_the_societys_own_and_may_still_change(all_of: Parties) -> None:
    version = all_of.draft()
    assert (version.status, Tariff.objects.get().ref) == ("draft", "WEB")
    for stranger in (NOBODY, all_of.commissioner):
        assert not TariffVersion.objects.visible_to(stranger).exists()
        assert not Tariff.objects.visible_to(stranger).exists()
        with pytest.raises((NotFound, Forbidden)):
            services.revise(actor=stranger, version=version, document=tariff(name="Mine"))
    changed = services.revise(actor=all_of.manager, version=version, document=tariff(name="Other", version=4))
    assert (changed.pk, changed.version, changed.document["name"]) == (version.pk, 4, "Other")
    assert verbs(version) == ["drafted", "revised"]


def test_revising_to_the_same_text_changes_nothing(all_of: Parties) -> None:
    version = all_of.draft()
    services.revise(actor=all_of.manager, version=version, document=version.document)
    assert verbs(version) == ["drafted"]


def test_a_draft_is_refused_with_every_problem(all_of: Parties) -> None:
    with pytest.raises(BadDocument) as caught:
        services.draft(actor=all_of.manager, society=all_of.society, document=tariff(charge("flat", amount=1)))
    assert caught.value.errors[0]["pointer"] == "/charges/0/amount"
    assert not Tariff.objects.exists()


def test_a_draft_keeps_its_tariff_its_currency_and_a_free_number(all_of: Parties) -> None:
    first, second = all_of.draft(), all_of.draft(version=2)
    assert code(Conflict, lambda: all_of.draft()) == "version_exists"
    for document, said in (
        (tariff(version=2), "version_exists"),
        (tariff(tariff="OTHER"), "other_tariff"),
        (tariff(currency="USD"), "other_currency"),
    ):
        assert (
            code(Conflict, lambda d=document: services.revise(actor=all_of.manager, version=first, document=d)) == said
        )
    assert {first.version, second.version} == {1, 2}


def test_a_discarded_draft_is_gone_and_its_tariff_with_it(all_of: Parties) -> None:
    first, second = all_of.draft(), all_of.draft(version=2)
    services.discard(actor=all_of.manager, version=second)
    assert Tariff.objects.exists()
    gone = TariffVersion.objects.get(pk=first.pk)
    services.discard(actor=all_of.manager, version=first)
    assert not Tariff.objects.exists()
    assert Event.objects.filter(verb="tariff_version.discarded").count() == 2
    with pytest.raises(NotFound):
        services.discard(actor=all_of.manager, version=gone)
    assert (
        code(NotFound, lambda: services.set_interim(actor=all_of.commissioner, version=gone, reasons="x"))
        == "not_found"
    )


def test_what_was_published_is_neither_revised_nor_discarded(all_of: Parties) -> None:
    version = all_of.publish()
    assert (
        code(Conflict, lambda: services.revise(actor=all_of.manager, version=version, document=tariff()))
        == "not_a_draft"
    )
    assert code(Conflict, lambda: services.discard(actor=all_of.manager, version=version)) == "not_a_draft"


# Publishing


def test_publishing_opens_a_consultation_and_tells_the_rate_body(all_of: Parties) -> None:
    version = all_of.publish()
    assert (version.status, version.consultation, version.addressed_to) == (
        "proposed",
        DateRange(TODAY, CLOSES),
        all_of.body,
    )
    assert (version.reasons, version.effect, version.decide_by) == ("Costs rose.", "Small firms pay less.", DECIDE_BY)
    assert verbs(version) == ["drafted", "published"]
    told = Notice.objects.get()
    assert (told.user, told.link) == (all_of.decider, f"/consultations/{version.pk}/")
    assert Tariff.objects.visible_to(NOBODY).exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reasons": " \u200b"}, "reason_missing"),
        ({"effect": ""}, "effect_missing"),
        ({"reasons": "x" * 20_001}, "too_long"),
        ({"closes": TODAY + 13 * DAY}, "consultation_length"),
        ({"closes": TODAY + 400 * DAY, "decide_by": TODAY + 500 * DAY}, "consultation_length"),
        ({"decide_by": CLOSES}, "decision_day"),
        ({"decide_by": CLOSES + 500 * DAY}, "decision_day"),
    ],
)
def test_a_proposal_is_published_whole_and_with_time_to_comment(
    all_of: Parties, changed: dict[str, Any], said: str
) -> None:
    version = all_of.draft()
    assert code(Refusal, lambda: all_of.publish(version, **changed)) == said
    version.refresh_from_db()
    assert (version.status, version.published_at) == ("draft", None)
    assert not Notice.objects.exists()


def test_fourteen_days_are_enough(all_of: Parties) -> None:
    assert all_of.publish(closes=TODAY + 14 * DAY).consultation.upper == TODAY + 14 * DAY


def test_a_proposal_is_put_to_a_rate_body_by_its_own_society_once(all_of: Parties) -> None:
    version = all_of.draft()
    assert code(Refusal, lambda: all_of.publish(version, body=all_of.society)) == "not_a_rate_body"
    other = people.actor(people.organisation("OTHER", "society"), "licensing")
    terms: dict[str, Any] = {
        "body": all_of.body,
        "reasons": "x",
        "effect": "y",
        "closes": CLOSES,
        "decide_by": DECIDE_BY,
    }
    with pytest.raises(NotFound):
        services.publish(actor=other, version=version, **terms)
    finance = people.actor(all_of.society, "finance")
    with pytest.raises(Forbidden):
        services.publish(actor=finance, version=version, **terms)
    all_of.publish(version)
    assert code(Conflict, lambda: all_of.publish(version)) == "already_published"


def test_what_an_operator_put_on_record_may_be_published_too(all_of: Parties) -> None:
    version = services.propose(actor=SYSTEM, society=all_of.society, document=tariff())
    assert all_of.publish(version).consultation == DateRange(TODAY, CLOSES)


def test_a_consultation_is_made_longer_never_shorter_and_the_decision_is_due_as_much_later(all_of: Parties) -> None:
    version = all_of.publish()
    for closes in (CLOSES, CLOSES - DAY):
        assert (
            code(Refusal, lambda c=closes: services.extend(actor=all_of.manager, version=version, closes=c))
            == "not_longer"
        )
    longer = services.extend(actor=all_of.manager, version=version, closes=CLOSES + 10 * DAY)
    assert (longer.consultation.upper, longer.decide_by) == (CLOSES + 10 * DAY, DECIDE_BY + 10 * DAY)
    by_body = services.extend(actor=all_of.commissioner, version=version, closes=CLOSES + 11 * DAY)
    assert by_body.consultation.upper == CLOSES + 11 * DAY
    with pytest.raises(Forbidden):
        services.extend(
            actor=people.actor(people.organisation("OTHER", "rate_body")), version=version, closes=CLOSES + 20 * DAY
        )
    assert verbs(version)[2:] == ["extended", "extended"]


def test_a_closed_consultation_is_not_opened_again(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish()
    clock.at(CLOSES)
    extend = lambda: services.extend(actor=all_of.manager, version=version, closes=CLOSES + 30 * DAY)  # noqa: E731
    assert code(Conflict, extend) == "consultation_closed"


def test_a_withdrawn_proposal_stays_public_with_its_reason(all_of: Parties) -> None:
    version = all_of.publish()
    assert (
        code(Refusal, lambda: services.withdraw(actor=all_of.manager, version=version, reason=" ")) == "reason_missing"
    )
    withdrawn = services.withdraw(actor=all_of.manager, version=version, reason="We think again.")
    assert withdrawn.status == "withdrawn"
    assert TariffVersion.objects.visible_to(NOBODY).filter(pk=version.pk).exists()
    assert (
        code(Conflict, lambda: services.withdraw(actor=all_of.manager, version=version, reason="x"))
        == "already_decided"
    )
    with pytest.raises(Conflict):
        services.determine(actor=all_of.commissioner, version=version, reasons="x")
    assert code(Conflict, lambda: services.withdraw(actor=all_of.manager, version=all_of.draft(version=2), reason="x"))


# Deciding


def decisions(version: TariffVersion) -> list[tuple[str, str]]:
    return list(version.decisions.order_by("pk").values_list("outcome", "reasons"))


ACTS: dict[str, Any] = {
    "determine": lambda **who: services.determine(**who, reasons="x"),
    "set_interim": lambda **who: services.set_interim(**who, reasons="x"),
    "amend": lambda **who: services.amend(**who, document=tariff(valid_from="2027-03-01", minimum="5"), reasons="x"),
    "refuse": lambda **who: services.refuse(**who, reason="x"),
}


@pytest.mark.parametrize("act", ACTS)
def test_the_society_never_decides(all_of: Parties, clock: Clock, act: str) -> None:
    version = all_of.publish()
    clock.at(CLOSES)
    both = people.person(all_of.society, "administrator", "both@x.example")
    Membership.objects.create(user=both, organisation=all_of.body, role="administrator")
    society = all_of.society
    actors = (
        all_of.manager,  # without the permission
        staff(society, "tariffs.manage", "tariffs.determine"),  # had somebody given it by mistake
        SYSTEM,  # acts for no rate body
        people.actor(people.organisation("OTHER", "rate_body")),  # it is put to another one
        people.actor(people.organisation("FIRM", "licensee")),
        actor_of_user(both, all_of.body.pk),  # on the staff of both
        NOBODY,
    )
    for actor in actors:
        with pytest.raises(Refusal):
            ACTS[act](actor=actor, version=version)
    version.refresh_from_db()
    assert (version.status, Decision.objects.count(), verbs(version)) == ("proposed", 0, ["drafted", "published"])


@pytest.mark.parametrize("act", ["determine", "amend", "refuse"])
def test_nothing_is_decided_for_good_before_the_consultation_has_closed(
    all_of: Parties, clock: Clock, act: str
) -> None:
    version = all_of.publish()
    clock.at(CLOSES - DAY, 23, 59)
    assert code(Conflict, lambda: ACTS[act](actor=all_of.commissioner, version=version)) == "consultation_is_open"
    clock.at(CLOSES, 0, 0)
    ACTS[act](actor=all_of.commissioner, version=version)
    assert len(decisions(version)) == 1


@pytest.mark.parametrize("act", ["determine", "set_interim", "amend", "refuse"])
def test_a_decision_has_reasons(all_of: Parties, clock: Clock, act: str) -> None:
    version = all_of.publish()
    clock.at(CLOSES)
    silent: dict[str, Any] = {
        "determine": lambda: services.determine(actor=all_of.commissioner, version=version, reasons=" "),
        "set_interim": lambda: services.set_interim(actor=all_of.commissioner, version=version, reasons=""),
        "amend": lambda: services.amend(actor=all_of.commissioner, version=version, document=tariff(), reasons=""),
        "refuse": lambda: services.refuse(actor=all_of.commissioner, version=version, reason=""),
    }
    assert code(Refusal, silent[act]) == "reason_missing"
    assert not decisions(version)


def test_approved_as_proposed(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish()
    clock.at(CLOSES)
    decided = services.determine(actor=all_of.commissioner, version=version, reasons="Fair.")
    assert (decided.status, decided.determined_by) == ("determined", all_of.body)
    assert decisions(version) == [("approved", "Fair.")]
    assert version.decisions.get().result == decided
    assert verbs(version)[-1] == "determined"
    told = Notice.objects.get(user=all_of.proposer)
    assert (told.kind, told.link) == ("tariff", f"/consultations/{version.pk}/")
    for act in ACTS.values():
        assert code(Conflict, lambda a=act: a(actor=all_of.commissioner, version=version)) == "already_decided"


def test_refused(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish()
    clock.at(CLOSES)
    refused = services.refuse(actor=all_of.commissioner, version=version, reason="Too dear.")
    assert (refused.status, refused.determined_by) == ("refused", None)
    assert (decisions(version), version.decisions.get().result) == ([("refused", "Too dear.")], None)
    assert services.version_in_force(version.tariff, datetime.date(2027, 6, 1)) is None


def test_approved_with_changes_is_a_version_of_its_own(all_of: Parties, clock: Clock) -> None:
    version, other = all_of.publish(), all_of.draft(version=2)
    clock.at(CLOSES)
    text = tariff(valid_from="2027-04-01", minimum="1000", name="Web, as determined")
    result = services.amend(actor=all_of.commissioner, version=version, document=text, reasons="With a floor.")
    version.refresh_from_db()
    assert (version.status, result.status, result.version, result.amends) == (
        "amended",
        "determined",
        other.version + 1,
        version,
    )
    assert (result.document["version"], result.valid.lower) == (3, datetime.date(2027, 4, 1))
    assert decisions(version) == [("amended", "With a floor.")]
    assert version.decisions.get().result == result
    assert (verbs(version)[-1], verbs(result)) == ("amended", ["determined"])
    assert Tariff.objects.get().name == "Web, as determined"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (tariff(valid_from="2027-03-01"), "nothing_changed"),
        (tariff(valid_from="2027-03-01", version=7), "nothing_changed"),
        (tariff(tariff="OTHER"), "other_tariff"),
        (tariff(currency="USD"), "other_currency"),
        (tariff(charge("flat", amount=1)), "invalid_tariff"),
        ([], "invalid_tariff"),
        (None, "invalid_tariff"),
    ],
)
def test_a_changed_text_is_of_the_same_tariff_and_does_change(
    all_of: Parties, clock: Clock, document: Any, said: str
) -> None:
    version = all_of.publish()
    clock.at(CLOSES)
    amend = lambda: services.amend(actor=all_of.commissioner, version=version, document=document, reasons="x")  # noqa: E731
    assert code(Refusal, amend) == said
    version.refresh_from_db()
    assert (version.status, TariffVersion.objects.count()) == ("proposed", 1)


def test_a_later_version_supersedes_the_one_in_force_on_its_day(all_of: Parties, clock: Clock) -> None:
    first = determined(all_of.society, tariff(valid_from="2026-01-01"))
    version = all_of.publish(all_of.draft(version=2))
    clock.at(CLOSES)
    services.determine(actor=all_of.commissioner, version=version, reasons="x")
    first.refresh_from_db()
    assert first.valid.upper == version.valid.lower
    assert verbs(first)[-1] == "superseded"


# For the time being, and backwards


def test_interim_rates_price_from_before_the_consultation_has_closed(all_of: Parties) -> None:
    version = all_of.publish(all_of.draft(valid_from="2026-01-01"))
    interim = services.set_interim(actor=all_of.commissioner, version=version, reasons="Until we know more.")
    assert interim.status == "interim"
    assert services.version_in_force(version.tariff, TODAY) == version
    assert services.version_for_period(version.tariff, datetime.date(2026, 4, 1), datetime.date(2026, 7, 1)) == version
    assert decisions(version) == [("interim", "Until we know more.")]
    assert (
        code(Conflict, lambda: ACTS["determine"](actor=all_of.commissioner, version=version)) == "consultation_is_open"
    )
    assert (
        code(Conflict, lambda: services.withdraw(actor=all_of.manager, version=version, reason="x"))
        == "already_decided"
    )


def test_interim_rates_are_confirmed(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish(all_of.draft(valid_from="2026-01-01"))
    services.set_interim(actor=all_of.commissioner, version=version, reasons="x")
    clock.at(CLOSES)
    assert code(Conflict, lambda: ACTS["refuse"](actor=all_of.commissioner, version=version)) == "in_force_for_now"
    assert services.determine(actor=all_of.commissioner, version=version, reasons="Right.").status == "determined"
    assert [outcome for outcome, _reasons in decisions(version)] == ["interim", "approved"]


def test_interim_rates_are_replaced_from_their_first_day(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish(all_of.draft(valid_from="2026-01-01"))
    services.set_interim(actor=all_of.commissioner, version=version, reasons="x")
    clock.at(CLOSES)

    def amend(**keys: Any) -> TariffVersion:
        document = tariff(**({"valid_from": "2026-01-01", "minimum": "7"} | keys))
        return services.amend(actor=all_of.commissioner, version=version, document=document, reasons="Lower.")

    assert code(Refusal, lambda: amend(valid_from="2026-02-01")) == "not_from_the_first_day"
    assert code(Refusal, lambda: amend(valid_from="2025-12-01")) == "not_from_the_first_day"
    assert code(Refusal, lambda: amend(valid_to="2026-06-01")) == "leaves_days_unpriced"
    result = amend()
    version.refresh_from_db()
    assert (version.status, result.status) == ("replaced", "determined")
    assert services.version_in_force(version.tariff, datetime.date(2026, 3, 1)) == result
    assert [outcome for outcome, _reasons in decisions(version)] == ["interim", "amended"]
    assert verbs(version)[-1] == "replaced"


@pytest.mark.parametrize("act", ["determine", "set_interim", "amend"])
def test_days_that_were_priced_are_not_priced_anew(all_of: Parties, clock: Clock, act: str) -> None:
    determined(all_of.society, tariff(valid_from="2026-01-01"))
    version = all_of.publish(all_of.draft(version=2, valid_from="2026-07-01"))
    clock.at(CLOSES)
    back: dict[str, Any] = ACTS | {
        "amend": lambda **who: services.amend(**who, document=tariff(valid_from="2026-08-01"), reasons="x")
    }
    assert code(Refusal, lambda: back[act](actor=all_of.commissioner, version=version)) == "days_already_priced"
    later = tariff(valid_from=CLOSES.isoformat())
    result = services.amend(actor=all_of.commissioner, version=version, document=later, reasons="From today.")
    assert result.valid.lower == CLOSES


def test_days_that_never_had_a_price_may_get_one_afterwards(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish(all_of.draft(valid_from="2026-01-01"))
    clock.at(CLOSES)
    services.determine(actor=all_of.commissioner, version=version, reasons="x")
    assert services.version_in_force(version.tariff, datetime.date(2026, 1, 1)) == version


def test_two_versions_for_the_same_days_do_not_both_come_into_force(all_of: Parties, clock: Clock) -> None:
    first = all_of.publish(all_of.draft(valid_to="2028-01-01"))
    second = all_of.publish(all_of.draft(version=2, valid_to="2028-01-01"))
    clock.at(CLOSES)
    services.determine(actor=all_of.commissioner, version=first, reasons="x")
    assert (
        code(Conflict, lambda: services.determine(actor=all_of.commissioner, version=second, reasons="x"))
        == "version_overlaps"
    )
    second.refresh_from_db()
    assert (second.status, second.decisions.count()) == ("proposed", 0)


# What an operator records


def test_an_operators_record_is_a_decision_too(all_of: Parties) -> None:
    version = determined(all_of.society)
    assert decisions(version) == [("approved", "")]


def test_an_operator_puts_a_draft_of_the_same_text_on_record(all_of: Parties) -> None:
    version = all_of.draft()
    imported = services.import_tariff(
        actor=SYSTEM, society=all_of.society, document=version.document, determined_by=all_of.body
    )
    assert (imported.version.pk, imported.version.status) == (version.pk, "determined")
    assert verbs(version) == ["drafted", "proposed", "determined"]


def test_an_operator_records_no_other_bodys_decision_nor_one_too_early(all_of: Parties, clock: Clock) -> None:
    version = all_of.publish()

    def record(body: Any) -> Any:
        return services.import_tariff(
            actor=SYSTEM, society=all_of.society, document=version.document, determined_by=body
        )

    assert code(Conflict, lambda: record(all_of.body)) == "consultation_is_open"
    clock.at(CLOSES)
    with pytest.raises(Forbidden):
        record(people.organisation("OTHER", "rate_body"))
    assert record(all_of.body).version.status == "determined"
