"""What every API view gets from its base: who may, problems, cursors, limits, request ids."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from redis.exceptions import RedisError
from rest_framework.test import APIClient

from accounts.access import services
from accounts.access.api import throttling
from accounts.access.models import Token
from accounts.evidence.models import Event
from accounts.organisations.models import Organisation
from tests.accounts import people
from tests.config import sample_api
from tests.config.sample_client import PROBLEM, TOKENS, bearer, client, hanbit, is_problem, sample, upload

__all__ = ["client", "hanbit", "sample"]


# Who may


def test_a_program_acts_for_its_organisation(client: APIClient, hanbit: Organisation) -> None:
    assert client.get("/api/v1/mine/").json() == {"actor": "token", "organisation": hanbit.pk}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header,code",
    [
        (None, "not_authenticated"),
        ("Bearer", "malformed_authorization"),
        ("Bearer a b", "malformed_authorization"),
        ("Bearer jsk_live_aaaaaaaaaaaa_bbbb", "token_unknown"),
        ("Bearer \x00\xff", "token_unknown"),
        ("Basic a2ltOnB3", "not_authenticated"),
    ],
)
def test_who_is_not_known_is_told_how(header: str | None, code: str) -> None:
    response = APIClient().get("/api/v1/mine/", **({"HTTP_AUTHORIZATION": header} if header else {}))
    is_problem(response, 401, code)
    assert response["WWW-Authenticate"] == 'Bearer realm="Jeongsan"'


def test_a_revoked_token_is_told_so(hanbit: Organisation) -> None:
    token, text = people.token(hanbit)
    services.revoke_token(actor=people.actor(hanbit), token=token)
    is_problem(bearer(text).get("/api/v1/mine/"), 401, "token_revoked")


def test_a_scope_that_is_missing_is_403_before_anything_is_looked_up(hanbit: Organisation) -> None:
    narrow = bearer(people.token(hanbit, "declarations.view")[1])
    assert narrow.get(TOKENS).status_code == 200
    problem = is_problem(narrow.post(TOKENS, {"name": "x"}), 403, "forbidden")
    assert "declarations.declare" in problem["detail"]
    is_problem(narrow.post(f"{TOKENS}999999/check/"), 403, "forbidden")
    assert sample_api.runs == []


def test_a_strangers_object_is_404(client: APIClient) -> None:
    theirs = people.token(people.organisation("OTHER"))[0]
    is_problem(client.get(f"{TOKENS}{theirs.pk}/"), 404, "not_found")
    is_problem(client.post(f"{TOKENS}{theirs.pk}/check/"), 404, "not_found")


def test_a_view_that_names_nobody_lets_nobody_in(client: APIClient) -> None:
    is_problem(client.get("/api/v1/forgotten/"), 403, "permission_denied")


@pytest.mark.django_db
def test_some_views_are_open_to_anyone() -> None:
    assert APIClient().get("/api/v1/open/").json() == {"actor": "anonymous"}


def test_a_person_in_a_browser_needs_the_csrf_token(hanbit: Organisation) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.person(hanbit))
    assert browser.get("/api/v1/mine/").json()["actor"] == "user"
    is_problem(browser.post(TOKENS, {"name": "x"}, content_type="application/json"), 403, "permission_denied")
    browser.cookies["csrftoken"] = "a" * 32
    allowed = browser.post(TOKENS, {"name": "x"}, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert allowed.status_code == 201


def test_a_token_counts_before_a_session(hanbit: Organisation) -> None:
    browser = Client()
    browser.force_login(people.person(hanbit))
    text = people.token(hanbit)[1]
    assert browser.get("/api/v1/mine/", headers={"Authorization": f"Bearer {text}"}).json()["actor"] == "token"


# Problems


def test_values_that_are_wrong_are_pointed_at(client: APIClient) -> None:
    problem = is_problem(client.post(TOKENS, {"scopes": ["declarations", "x" * 31], "name": "x" * 11}), 400, "invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("/name", "max_length"),
        ("/scopes/1", "max_length"),
    ]
    assert problem["detail"] == "2 values are wrong."


def test_a_refusal_keeps_its_pointer_and_rows(client: APIClient) -> None:
    problem = is_problem(client.post(TOKENS, {"name": "conflict"}), 409, "taken")
    assert problem["errors"] == [{"code": "taken", "detail": "This is taken.", "pointer": "/name"}]
    problem = is_problem(client.get("/api/v1/mine/?raise=refusal"), 400, "bad_rows")
    assert problem["errors"] == [{"row": 3, "code": "x", "detail": "Row 3."}]


@pytest.mark.parametrize("body", ["{", "[1", '{"name": NaN}', "\x00", "nul", '{"name": "\ud800"}'])
def test_a_body_that_is_no_json(client: APIClient, body: str) -> None:
    raw = body.encode("utf-8", "surrogatepass")
    is_problem(client.post(TOKENS, raw, content_type="application/json"), 400, "parse_error")


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null"])
def test_a_body_that_is_no_object(client: APIClient, body: str) -> None:
    is_problem(client.post(TOKENS, body, content_type="application/json"), 400, "invalid")


def test_method_media_type_and_accept(client: APIClient) -> None:
    response = client.delete(TOKENS)
    is_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, HEAD"
    is_problem(client.options(TOKENS), 405, "method_not_allowed")
    is_problem(client.post(TOKENS, "name=x", content_type="text/plain"), 415, "unsupported_media_type")
    is_problem(client.get(TOKENS, HTTP_ACCEPT="application/xml"), 406, "not_acceptable")


def test_an_address_that_leads_nowhere(client: APIClient) -> None:
    is_problem(client.get("/api/v1/nothing/"), 404, "not_found")
    is_problem(client.get(f"{TOKENS}abc/"), 404, "not_found")
    is_problem(client.get("/api/v2/"), 404, "not_found")
    assert "end in a slash" in is_problem(client.post("/api/v1/tokens", {"name": "x"}), 404, "not_found")["detail"]


def test_a_crash_says_nothing_of_its_inside_and_changes_nothing(client: APIClient) -> None:
    before = Event.objects.count()
    response = client.post(TOKENS, {"name": "crash"})
    is_problem(response, 500, "internal")
    assert b"secret" not in response.content
    assert not Token.objects.filter(name="crash").exists()
    assert Event.objects.count() == before
    is_problem(client.get("/api/v1/crash/"), 500, "internal")


def test_an_odd_request(client: APIClient) -> None:
    is_problem(client.get("/api/v1/mine/?raise=suspicious"), 400, "bad_request")
    is_problem(client.get("/api/v1/mine/", HTTP_HOST="evil.example"), 400, "bad_request")


def test_a_nul_in_the_address(client: APIClient) -> None:
    for address in ("/api/v1/mine/?a=%00", "/api/v1/mine/?%00=a", f"{TOKENS}%00/"):
        is_problem(client.get(address), 400, "nul_character")


def test_a_body_that_is_too_large(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    is_problem(client.post(TOKENS, {"name": "x" * 2000}), 413, "too_large")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.UPLOAD_MAX_BYTES = 1000, 5000
    assert upload(client, b"x" * 4000).status_code == 202
    is_problem(upload(client, b"x" * (5000 + (1 << 20))), 413, "too_large")
    is_problem(upload(APIClient(), b"x" * 4000), 413, "too_large")
    for headers in ({}, {"Authorization": "Bearer x"}):  # pages know no tokens
        stranger = Client(headers=headers).post("/accounts/login/", {"login": "x" * 2000})
        assert (stranger.status_code, stranger["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert sample_api.runs == ["upload"]


def test_a_refused_request_leaves_nothing(client: APIClient) -> None:
    before = Event.objects.count()
    assert client.post(TOKENS, {"name": "conflict"}).status_code == 409
    assert client.post(TOKENS, {"name": "quiet"}).status_code == 422
    assert sample_api.runs == ["conflict", "quiet"]
    assert not Token.objects.filter(name__in=["conflict", "quiet"]).exists()
    assert Event.objects.count() == before


# Request ids and headers


@pytest.mark.django_db
def test_a_harmless_request_id_is_kept_and_others_replaced() -> None:
    client = APIClient()
    assert client.get("/api/v1/open/", HTTP_X_REQUEST_ID="order-7.a")["X-Request-Id"] == "order-7.a"
    for odd in ("", "a b", "x" * 65, "a\nb", "é"):
        given = client.get("/healthz", HTTP_X_REQUEST_ID=odd)["X-Request-Id"]
        assert given != odd
        assert len(given) == 32


@pytest.mark.django_db
def test_every_page_runs_nothing_but_our_own_files() -> None:
    headers = APIClient().get("/accounts/login/").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


# Cursors


def test_pages_by_cursor_meet_every_row_once_while_rows_are_added(client: APIClient, hanbit: Organisation) -> None:
    expected = {people.token(hanbit, name=f"t{number}")[0].pk for number in range(12)} | {
        Token.objects.get(name="program").pk
    }
    seen: list[int] = []
    address = f"{TOKENS}?page_size=5"
    while address:
        page = client.get(address).json()
        assert set(page) == {"next", "previous", "results"}
        assert len(page["results"]) <= 5
        seen += [row["id"] for row in page["results"]]
        people.token(hanbit, name="late")
        address = page["next"]
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


def test_a_cursor_that_is_none(client: APIClient) -> None:
    is_problem(client.get(f"{TOKENS}?cursor=nonsense"), 404, "not_found")


def test_the_largest_page(client: APIClient, hanbit: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        people.token(hanbit)
    monkeypatch.setattr(sample_api.Tokens, "max_page_size", 4, raising=False)
    assert len(client.get(f"{TOKENS}?page_size=1000000").json()["results"]) == 4
    assert len(client.get(f"{TOKENS}?page_size=-1").json()["results"]) == 7


# Limits


def test_too_many_requests_are_told_when_to_come_again(client: APIClient) -> None:
    answers = [client.get("/api/v1/open/") for _ in range(5)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    is_problem(limited[-1], 429, "throttled")
    assert 1 <= int(limited[-1]["Retry-After"]) <= 60


def test_the_limit_is_each_callers_own(client: APIClient, hanbit: Organisation, settings: Any) -> None:
    settings.API_RATE = 2
    for _ in range(4):
        last = client.get("/api/v1/mine/")
    assert last.status_code == 429
    assert bearer(people.token(hanbit)[1]).get("/api/v1/mine/").status_code == 200


def test_without_its_cache_the_api_still_answers(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise RedisError

    monkeypatch.setattr(throttling, "cache", type("Broken", (), {"add": gone, "incr": gone})())
    assert client.get("/api/v1/mine/").status_code == 200


# Description


@pytest.mark.django_db
def test_the_description_is_served_and_names_what_all_share() -> None:
    schema = APIClient().get("/api/v1/schema/").json()
    assert schema["openapi"].startswith("3.")
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    create = schema["paths"][TOKENS]["post"]
    assert any(parameter["name"] == "Idempotency-Key" for parameter in create["parameters"])
    assert {"400", "401", "403", "409", "429", "default"} <= set(create["responses"])
    assert "declarations.declare" in create["description"]
    assert {} in schema["paths"]["/api/v1/open/"]["get"]["security"]
    assert schema["components"]["responses"]["Problem409"]["content"][PROBLEM]


@pytest.mark.django_db
def test_the_docs_load_nothing_from_elsewhere() -> None:
    page = APIClient().get("/api/v1/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "http://" not in text.replace("http://testserver", "")
    assert "https://" not in text
    assert "script-src" not in page["Content-Security-Policy"]
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert APIClient().get("/api/v1/docs/?script=").status_code == 200
