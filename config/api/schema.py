"""What OpenAPI says of every operation alike: problems, the idempotency key, the request id."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from accounts.access.api.permissions import ANYONE, SIGNED_IN, needed
from accounts.access.api.problems import MEDIA_TYPE

_STRING = {"type": "string"}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457: what is wrong, where, and what to do.",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id", "errors"],
    "properties": {
        "type": {**_STRING, "format": "uri", "example": "urn:jeongsan:problem:invalid"},
        "title": {**_STRING, "example": "Bad Request"},
        "status": {"type": "integer", "example": 400},
        "code": {**_STRING, "example": "invalid"},
        "detail": {**_STRING, "example": "This field is required."},
        "instance": {**_STRING, "format": "uri-reference"},
        "request_id": _STRING,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {**_STRING, "description": "JSON pointer to the value", "example": "/period_end"},
                    "row": {"type": "integer", "description": "row of the file, as a person counts them", "minimum": 1},
                    "code": {**_STRING, "example": "required"},
                    "detail": _STRING,
                },
            },
        },
    },
}
_ERRORS = {
    "400": "The request is malformed or refused; nothing was changed.",
    "401": "No token, or one that is unknown, revoked or expired.",
    "403": "The role or the token's scopes do not allow this.",
    "404": "No such object, or one that you may not see.",
    "409": "The object's state, or an earlier request with this Idempotency-Key, does not allow this.",
    "429": "Too many requests; ask again after Retry-After seconds.",
    "default": "Any other problem.",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {**_STRING, "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "description": "Any text of your own, one for each intended change. Repeating the request gives the first answer "
    "again, marked `Idempotency-Replayed: true`; another request with the same key is refused with 409.",
}
_REQUEST_ID = {"description": "Names this request in our logs; yours is kept where you send one.", "schema": _STRING}


class ApiSchema(AutoSchema):
    """Tells with each operation which permission, and so which scope, it asks for."""

    def get_description(self) -> str:  # type: ignore[override]
        said = super().get_description() or ""
        permission = needed(self.view, self.method)
        if permission is None or permission in (ANYONE, SIGNED_IN):
            return said
        return f"{said}\n\nNeeds the scope `{permission}`.".strip()


def describe_common_parts(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's hook after generation: adds to each operation what all of them share."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components.setdefault("headers", {})["RequestId"] = _REQUEST_ID
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    components.setdefault("responses", {}).update(
        {
            _name(status): {"description": text, "headers": headers | _retry(status), "content": content}
            for status, text in _ERRORS.items()
        }
    )
    for path, methods in result.get("paths", {}).items():
        for method, operation in methods.items():
            _complete(operation, method, path, headers)
    return result


def _complete(operation: dict[str, Any], method: str, path: str, headers: dict[str, Any]) -> None:
    for response in operation["responses"].values():
        if "$ref" not in response:
            response["headers"] = {**headers, **response.get("headers", {})}
    left_out = {"404"} if "{" not in path else set()
    left_out |= {"409"} if method == "get" else set()
    left_out |= {"401", "403"} if {} in operation.get("security", [{}]) else set()
    for status in _ERRORS:
        if status not in left_out:
            operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{_name(status)}"})
    if method == "post":
        operation.setdefault("parameters", []).append(_KEY)


def _name(status: str) -> str:
    return "Problem" if status == "default" else f"Problem{status}"


def _retry(status: str) -> dict[str, Any]:
    return (
        {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}} if status == "429" else {}
    )
