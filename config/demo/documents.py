"""The demo's tariff and distribution rule, in the formats that `import_tariff` and `import_rule` read."""

from typing import Any, Final

TARIFF: Final[dict[str, Any]] = {
    "tariff": "WEB",
    "version": 1,
    "name": "Web text for training",
    "currency": "KRW",
    "valid_from": "2026-01-01",
    "valid_to": None,
    "combine": "sum",
    "minimum": None,
    "cap": None,
    "charges": [
        {
            "name": "training tokens",
            "uses": ["train"],
            "kinds": ["web"],
            "unit": "token",
            "model": "graduated",
            "per": 1000,
            "tiers": [
                {"up_to": 1_000_000_000, "price": "50"},
                {"up_to": 10_000_000_000, "price": "30"},
                {"price": "10"},
            ],
        }
    ],
}

RULE: Final[dict[str, Any]] = {
    "rule": "GENERAL",
    "version": 1,
    "valid_from": "2026-01-01",
    "deductions": [{"name": "management fee", "percent": "15"}, {"name": "social and cultural fund", "percent": "3"}],
    "use_weights": {"train": 1000, "finetune": 2500, "ground": 4000, "evaluate": 500, "index": 100},
    "unit_weights": {"token": 1},
    "kind_points": {"web": 1, "book": 1},
    "equal_part_percent": "0",
    "reserve_percent": "2",
}

# What the society proposes next: under consultation while the demo is shown.
PROPOSAL: Final[dict[str, Any]] = TARIFF | {
    "version": 2,
    "valid_from": "2027-07-01",
    "period_months": 12,
    "charges": [
        TARIFF["charges"][0]
        | {
            "tiers": [
                {"up_to": 1_000_000_000, "price": "55"},
                {"up_to": 10_000_000_000, "price": "30"},
                {"price": "9"},
            ]
        }
    ],
}

# A fixed price, which small firms may take without negotiation.
READY: Final[dict[str, Any]] = {
    "tariff": "WEB-READY",
    "version": 1,
    "name": "Web text at a fixed price",
    "currency": "KRW",
    "valid_from": "2026-01-01",
    "valid_to": None,
    "period_months": 12,
    "self_service": {"tiers": ["small"], "months": 12},
    "charges": [
        {"name": "a year for a small firm", "model": "flat", "amount": "1200000", "licensee_tiers": ["small"]},
        {"name": "a year for another firm", "model": "flat", "amount": "9000000", "licensee_tiers": ["large"]},
    ],
}

# A law that is spoken of and not made: on record, so that everybody sees that it is off.
SCHEME: Final[dict[str, Any]] = {
    "scheme": "USE-FIRST",
    "name": "Use first, pay later (spoken of, not law)",
    "name_ko": "선사용 후보상 (논의 중, 법이 아님)",
    "source": "National AI plan of January 2026: a plan, not a law",
    "uses": ["train"],
    "kinds": ["web"],
    "territory": ["KR"],
    "valid_from": "2027-01-01",
    "valid_to": None,
}
