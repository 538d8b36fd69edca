"""create_organisation, create_user, issue_token: the contract, from the shell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from accounts.access import services
from accounts.access.models import Membership, Token
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_token, actor_of_user
from licensing.repertoire.models import Holder, Representation

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command with --json; returns its object. A refusal is its exit status with the error."""

    def call(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        status = 0
        try:
            call_command(*arguments, "--json")
        except SystemExit as ended:
            status = int(ended.code or 0)
        out = capsys.readouterr().out
        return {"status": status} | (json.loads(out) if out else {})

    return call


def _organisation(run: Any, ref: str = "KOSA", kind: str = "society") -> dict[str, Any]:
    result: dict[str, Any] = run("create_organisation", ref, "--kind", kind, "--name", "Writers", "--name-ko", "작가")
    return result


def test_an_organisation_once_and_again(run: Any) -> None:
    first = _organisation(run)
    assert first == {
        "status": 0,
        "organisation": "KOSA",
        "id": Organisation.objects.get().pk,
        "kind": "society",
        "name": "Writers",
    }
    assert _organisation(run) == first
    taken = _organisation(run, kind="licensee")
    assert (taken["status"], taken["error"]["code"]) == (1, "organisation_ref_is_taken")


def test_wrong_usage_is_2(run: Any) -> None:
    assert run("create_organisation", "KOSA", "--kind", "choir", "--name", "x")["status"] == 2
    assert run("create_organisation", "KOSA")["status"] == 2
    assert run("create_user", "a@b.example", "--organisation", "KOSA", "--role", "king")["status"] == 2


def test_a_user_gets_a_link_that_works(run: Any, settings: Any) -> None:
    settings.SITE_URL = "https://jeongsan.example"
    _organisation(run)
    result = run("create_user", "Kim@KOSA.example", "--organisation", "KOSA", "--role", "distribution")
    assert (result["status"], result["user"], result["role"], result["created"]) == (
        0,
        "kim@kosa.example",
        "distribution",
        True,
    )
    start = "https://jeongsan.example/welcome/"
    assert result["sign_in_link"].startswith(start)
    token = result["sign_in_link"].removeprefix(start).rstrip("/")
    assert services.invited_by(token) == User.objects.get()
    assert Membership.objects.get().role == "distribution"


def test_a_password_is_set_instead(run: Any) -> None:
    _organisation(run)
    result = run("create_user", "kim@kosa.example", "--organisation", "KOSA", "--role", "finance", "--password", "pw")
    assert result["status"] == 0
    assert "sign_in_link" not in result
    assert User.objects.get().check_password("pw")


def test_the_same_again_changes_nothing(run: Any) -> None:
    _organisation(run)
    arguments = ("create_user", "kim@kosa.example", "--organisation", "KOSA", "--role", "finance", "--password")
    run(*arguments, "pw")
    again = run(*arguments, "other")
    assert (again["status"], again["created"]) == (0, False)
    assert User.objects.get().check_password("pw")
    assert Membership.objects.count() == 1


def test_a_member_acts_for_their_holder(run: Any) -> None:
    _organisation(run)
    holder = Holder.objects.create(society=Organisation.objects.get(), ref="H1", name="Kim")
    arguments = ("create_user", "kim@kim.example", "--organisation", "KOSA", "--role", "member", "--holder")
    result = run(*arguments, "H1")
    assert (result["status"], result["holder"]) == (0, "H1")
    assert Representation.objects.get().scope == "member"
    assert actor_of_user(User.objects.get()).holder_ids == {holder.pk}
    assert not Membership.objects.exists()
    assert run(*arguments, "H1")["status"] == 0
    assert Representation.objects.count() == 1
    missing = run(*arguments, "H2")
    assert (missing["status"], missing["error"]["code"]) == (1, "not_found")


@pytest.mark.parametrize(
    "arguments,code",
    [
        (("--organisation", "NONE", "--role", "finance"), "not_found"),
        (("--organisation", "KOSA", "--role", "declarant"), "unknown_role"),
        (("--organisation", "KOSA", "--role", "member"), "unknown_role"),
        (("--organisation", "KOSA", "--role", "auditor", "--holder", "H1"), "unknown_role"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nobody(run: Any, arguments: tuple[str, ...], code: str) -> None:
    _organisation(run)
    result = run("create_user", "kim@kim.example", *arguments)
    assert (result["status"], result["error"]["code"]) == (1, code)
    assert not User.objects.exists()


def test_a_token_is_printed_once(run: Any) -> None:
    _organisation(run, "HANBIT", "licensee")
    result = run("issue_token", "--organisation", "HANBIT", "--scopes", "declarations;permissions.check", "--sandbox")
    assert result["status"] == 0
    assert result["token"].startswith(f"jsk_test_{result['prefix']}_")
    assert result["scopes"] == ["declarations.declare", "declarations.view", "permissions.check"]
    assert actor_of_token(services.authenticate_token(result["token"])).sandbox


@pytest.mark.parametrize("arguments", [("--scopes", "everything"), ("--scopes", "")])
def test_a_token_that_cannot_be(run: Any, arguments: tuple[str, ...]) -> None:
    _organisation(run, "HANBIT", "licensee")
    assert run("issue_token", "--organisation", "HANBIT", *arguments)["status"] == 1
    assert not Token.objects.exists()


def test_a_term_without_measure(run: Any) -> None:
    _organisation(run, "HANBIT", "licensee")
    for days in ("0", "-5", "99999999999", "x"):
        assert run("issue_token", "--organisation", "HANBIT", "--scopes", "*", f"--days={days}")["status"] == 2
