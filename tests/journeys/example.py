"""The worked example of a distribution as files and documents, so that a journey starts from what people really send.

Pool ₩1,000,003; 15 % and 3 % of the rest; works A, B (three shares), C and one identifier that nobody knows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SOCIETY, FIRM, RATES = "KOREA-WEB", "HANBIT", "RATES"
LICENCE = "HANBIT-2026"
PERIOD = ("2026-01-01", "2026-04-01")
MEMBER, MEMBER_REF = "writer@creator.example", "H-B1"

HOLDERS = (
    "holder_ref,name,name_ko,kind,email\n"
    "H-A,Arirang Daily,아리랑일보,organisation,\n"
    f"{MEMBER_REF},Bora Kim,김보라,person,{MEMBER}\n"
    "H-B2,Byeol Lee,이별,person,\n"
    "H-B3,Bom Park,박봄,person,\n"
    "H-C,Chaek Press,책출판사,organisation,\n"
)
WORKS = (
    "work_ref,kind,title,identifiers\n"
    "A,web,Arirang Daily online,domain:arirang.example.com\n"
    "B,web,Three friends’ blog,domain:friends.example.org\n"
    "C,web,Chaek reviews,domain:chaek.example.net\n"
)
SHARES = (
    "work_ref,holder_ref,role,share\n"
    "A,H-A,publisher,1/1\n"
    f"B,{MEMBER_REF},author,333334ppm\n"
    "B,H-B2,author,333333ppm\n"
    "B,H-B3,author,333333ppm\n"
    "C,H-C,publisher,100%\n"
)
MANDATES = "holder_ref,uses,kinds,territory,valid_from\n" + "".join(
    f"{holder},*,*,*,2026-01-01\n" for holder in ("H-A", MEMBER_REF, "H-B2", "H-B3", "H-C")
)
FILES: Final = {"holders": HOLDERS, "works": WORKS, "shares": SHARES, "mandates": MANDATES}
DECLARATION = (
    "identifier_type,identifier,units,use\n"
    "domain,arirang.example.com,400000,train\n"
    "domain,arirang.example.com,300000,train\n"
    "domain,www.friends.example.org,200000,finetune\n"
    "domain,chaek.example.net,50000,ground\n"
    "domain,nobody.example.edu,40000,train\n"
    "domain,chaek.example.net,1e3,ground\n"
)
LINES = {"total": 6, "licensed": 4, "reserved": 0, "unmandated": 0, "unlicensed": 0, "unmatched": 1, "rejected": 1}
UNITS = {"total": 990_000, "licensed": 950_000, "reserved": 0, "unmandated": 0, "unlicensed": 0, "unmatched": 40_000}


def _charge(name: str, use: str, price: str) -> dict[str, Any]:
    """₩ per 1,000 tokens of web text."""
    return {
        "name": name, "uses": [use], "kinds": ["web"], "unit": "token", "model": "per_unit", "per": 1000, "price": price,
    }  # fmt: skip


TARIFF: Final[dict[str, Any]] = {
    "tariff": "WEB", "version": 1, "name": "Web text", "currency": "KRW", "valid_from": "2026-01-01", "valid_to": None,
    "combine": "sum", "minimum": None, "cap": None,
    "charges": [
        _charge("training", "train", "1000"), _charge("fine-tuning", "finetune", "1000"), _charge("grounding", "ground", "1200.06"),
    ],
}  # fmt: skip
RULE: Final[dict[str, Any]] = {
    "rule": "GENERAL", "version": 1, "valid_from": "2026-01-01",
    "deductions": [{"name": "management fee", "percent": "15"}, {"name": "social fund", "percent": "3"}],
    "use_weights": {"train": 1000, "finetune": 1500, "ground": 2500, "evaluate": 500, "index": 100},
    "unit_weights": {"token": 1}, "kind_points": {"web": 1}, "equal_part_percent": "0", "reserve_percent": "0",
}  # fmt: skip

FEE = POOL = 1_000_003
DEDUCTIONS = {"management fee": 150_000, "social fund": 25_500}
DISTRIBUTABLE, SUSPENSE = 824_503, 28_309
PAYABLE = {"H-A": 495_410, "H-B1": 70_773, "H-B2": 70_773, "H-B3": 70_772, "H-C": 88_466}


@dataclass(frozen=True)
class Files:
    """The example on disk: `holders.csv`, `works.csv`, `shares.csv`, `mandates.csv`, `use.csv`, `tariff.json`, `rule.json`."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def write(folder: Path) -> Files:
    """Everything that the people of a journey send."""
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "use.csv").write_text(DECLARATION, encoding="utf-8")
    (folder / "tariff.json").write_text(json.dumps(TARIFF), encoding="utf-8")
    (folder / "rule.json").write_text(json.dumps(RULE), encoding="utf-8")
    return Files(folder)
