"""Which engine computes for a society: its administrators choose, the installation's setting holds for all others."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Forbidden, Refusal
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.engine import connect, name_of, services, spark
from licensing.engine.duck import DuckEngine
from tests.accounts.people import person
from tests.licensing.parties import organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("PRESS", "society")


@pytest.fixture
def spark_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an installation that has Spark."""
    monkeypatch.setattr(spark, "check", lambda: None)


def test_without_a_choice_the_installation_s_engine_computes(
    society: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name_of(society.pk) == name_of() == "duckdb"
    monkeypatch.setattr(settings, "ENGINE", "spark")
    assert name_of(society.pk) == name_of() == "spark"
    monkeypatch.setattr(settings, "ENGINE", "oracle")
    with pytest.raises(ImproperlyConfigured, match="duckdb or spark"):
        connect()


def test_a_society_s_choice_is_its_own(society: Organisation, spark_runs: None) -> None:
    other = organisation("LYRICS", "society")
    assert services.choose(actor=SYSTEM, society=society, engine="spark") == "spark"
    assert (name_of(society.pk), name_of(other.pk), name_of()) == ("spark", "duckdb", "duckdb")
    assert services.choose(actor=SYSTEM, society=society) == "duckdb"
    assert services.chosen(society) == ""
    with connect(society.pk) as engine:
        assert isinstance(engine, DuckEngine)


def test_every_change_is_kept_as_evidence_and_no_other(society: Organisation, spark_runs: None) -> None:
    for engine in ("spark", "spark", "", ""):
        services.choose(actor=SYSTEM, society=society, engine=engine)
    told = Event.objects.filter(verb="engine.chosen", organisation_id=society.pk).order_by("pk")
    assert [event.data for event in told] == [
        {"before": "duckdb", "now": "spark"},
        {"before": "spark", "now": "duckdb"},
    ]


def test_nobody_else_chooses(society: Organisation, spark_runs: None) -> None:
    other = organisation("LYRICS", "society")
    for actor in (
        actor_of_user(person(society, "distribution"), society.pk),
        actor_of_user(person(other, "administrator"), other.pk),
    ):
        with pytest.raises(Forbidden):
            services.choose(actor=actor, society=society, engine="spark")
    assert services.chosen(society) == ""
    assert not Event.objects.filter(verb="engine.chosen").exists()


def test_what_cannot_run_here_is_refused_with_what_to_do(
    society: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda name: None)
    with pytest.raises(Refusal, match=r"pip install 'jeongsan\[spark\]'"):
        services.choose(actor=SYSTEM, society=society, engine="spark")
    monkeypatch.setattr(spark, "find_spec", lambda name: object())
    monkeypatch.setattr(spark.shutil, "which", lambda name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(Refusal, match="Java 17"):
        services.choose(actor=SYSTEM, society=society, engine="spark")
    monkeypatch.setattr(spark.shutil, "which", lambda name: "/usr/bin/java")
    monkeypatch.setattr(settings, "SPARK_MASTER", "spark://cluster.example:7077")
    with pytest.raises(Refusal, match="SPARK_SHARED"):
        services.choose(actor=SYSTEM, society=society, engine="spark")
    with pytest.raises(Refusal, match="two engines"):
        services.choose(actor=SYSTEM, society=society, engine="oracle")
    assert services.chosen(society) == ""


@pytest.mark.parametrize("text", ["executor.memory=2g", "spark.cores.max", "spark.a=1; =2"])
def test_settings_of_spark_are_pairs(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SPARK_CONF"):
        spark.configuration(text)


def test_settings_of_spark_may_hold_commas_and_equals_signs() -> None:
    text = " spark.jars.packages=a:b:1,c:d:2 ; spark.executor.extraJavaOptions=-Dx=y;"
    assert spark.configuration(text) == {
        "spark.jars.packages": "a:b:1,c:d:2",
        "spark.executor.extraJavaOptions": "-Dx=y",
    }


def manage(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("set_engine", *arguments, "--json", stdout=out)
    except SystemExit as end:
        return int(end.code or 0), json.loads(out.getvalue() or "{}")
    return 0, json.loads(out.getvalue())


def test_the_command_sets_it(society: Organisation, spark_runs: None) -> None:
    assert manage("PRESS", "spark") == (0, {"society": "PRESS", "engine": "spark", "chosen": "spark"})
    assert manage("PRESS", "default") == (0, {"society": "PRESS", "engine": "duckdb", "chosen": "default"})
    assert manage("NOBODY", "spark")[0] == 1
    assert manage("PRESS", "oracle")[0] == 2


def test_an_administrator_sets_it_on_a_page(society: Organisation, spark_runs: None) -> None:
    client = Client()
    client.force_login(person(society, "administrator"))
    page = client.get(reverse("licensing:engine"))
    assert page.status_code == 200
    answer = client.post(reverse("licensing:engine"), {"engine": "spark"}, follow=True)
    assert "Saved" in answer.content.decode()
    assert services.chosen(society) == "spark"
    client.post(reverse("licensing:engine"), {"engine": "default"})
    assert services.chosen(society) == ""


def test_the_page_says_what_spark_lacks(society: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda name: None)
    client = Client()
    client.force_login(person(society, "administrator"))
    assert "package is not installed" in client.get(reverse("licensing:engine")).content.decode()
    answer = client.post(reverse("licensing:engine"), {"engine": "spark"})
    assert answer.status_code == 200 and services.chosen(society) == ""


@pytest.mark.parametrize(("kind", "role"), [("society", "distribution"), ("licensee", "administrator")])
def test_the_page_is_for_administrators_of_societies(kind: str, role: str) -> None:
    house = organisation("HOUSE", kind)
    client = Client()
    client.force_login(person(house, role))
    assert client.get(reverse("licensing:engine")).status_code in (403, 404)
