"""A client of the tus protocol that does what a test tells it, to the header."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from django.test import Client

from accounts.access.models import Token
from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM
from licensing.declarations import services
from licensing.declarations.models import Declaration
from tests.licensing.declaring import PERIOD, Firm

TUS = {"Tus-Resumable": "1.0.0"}
PART = "application/offset+octet-stream"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def draft(of: Firm, **terms: Any) -> Declaration:
    settings = {"period": PERIOD, "use": "train", "unit": "token"} | terms
    return services.start(actor=of.declarant, licence=of.licence, **settings)


def token(of: Firm, *, sandbox: bool = False, scopes: str = "declarations.declare;declarations.view") -> str:
    return issue_token(actor=SYSTEM, organisation=of.licensee, scopes=scopes, sandbox=sandbox)[1]


def client(of: Firm, **options: Any) -> Client:
    Token.objects.all()
    return Client(headers={"Authorization": f"Bearer {token(of, **options)}"})


def metadata(**said: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


def begin(program: Client, declaration: Declaration, size: int, **said: str) -> Any:
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata(**said)}
    return program.post(f"/api/v1/declarations/{declaration.pk}/uploads/", headers=headers)


def part(program: Client, where: str, offset: int, data: bytes, **headers: str) -> Any:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return program.patch(where, data, content_type=PART, headers=TUS | {"Upload-Offset": str(offset)} | more)


def offset(program: Client, where: str) -> int:
    answer = program.head(where, headers=TUS)
    assert answer.status_code == 200, answer.status_code
    assert answer["Cache-Control"] == "no-store"
    return int(answer["Upload-Offset"])


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"
