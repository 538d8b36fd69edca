"""Tariff documents for tests, in the form of the contract."""

from __future__ import annotations

from typing import Any

TIERS = [{"up_to": 1_000_000_000, "price": "0.05"}, {"up_to": 10_000_000_000, "price": "0.03"}, {"price": "0.01"}]


def charge(model: str, name: str = "", **keys: Any) -> dict[str, Any]:
    """A charge of any use and kind; those that count units count tokens."""
    counts = model in ("per_unit", "graduated", "volume", "package")
    scope = {"uses": ["*"], "kinds": ["*"], "unit": "token"} if counts else {}
    return {"name": name or model, "model": model} | scope | keys


def tariff(*charges: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A tariff document with these charges; without any, the contract's example."""
    training = {
        "name": "training tokens", "uses": ["train"], "kinds": ["web"], "unit": "token", "model": "graduated",
        "per": 1000, "tiers": TIERS,
    }  # fmt: skip
    return {
        "tariff": "WEB", "version": 1, "name": "Web text for training", "currency": "KRW",
        "valid_from": "2026-01-01", "valid_to": None, "combine": "sum", "minimum": None, "cap": None,
        "charges": list(charges) or [training],
    } | keys  # fmt: skip
