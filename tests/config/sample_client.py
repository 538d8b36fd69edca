"""A program that calls the sample API, and what every problem looks like. Import the fixtures by name."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.organisations.models import Organisation
from tests.accounts import people
from tests.config import sample_api

PROBLEM = "application/problem+json"
TOKENS = "/api/v1/tokens/"


@pytest.fixture(autouse=True)
def sample(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.config.sample_api"
    sample_api.runs.clear()
    cache.clear()


def bearer(text: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


@pytest.fixture
def hanbit(db: None) -> Organisation:
    return people.organisation()


@pytest.fixture
def client(hanbit: Organisation) -> APIClient:
    return bearer(people.token(hanbit, name="program")[1])


def is_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response["Content-Type"]) == (status, PROBLEM), response.content
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code), body
    assert set(body) == {"type", "title", "status", "code", "detail", "instance", "request_id", "errors"}
    assert body["request_id"] == response["X-Request-Id"]
    assert body["errors"]
    assert all(error["code"] and error["detail"] for error in body["errors"])
    return body


def upload(client: APIClient, content: bytes, note: str = "a", name: str = "d.csv") -> Any:
    body = {"file": SimpleUploadedFile(name, content), "note": note}
    return client.post("/api/v1/upload/", body, format="multipart", HTTP_IDEMPOTENCY_KEY="k1")
