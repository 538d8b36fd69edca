"""Figures as tables for people, and as JSON for comparing."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What was measured on, without names."""
    return {
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
        "date": datetime.date.today().isoformat(),
    }


def keep(results: dict[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def steps(seconds: dict[str, float], processor: dict[str, float], rows: int, bare: float) -> list[str]:
    """Each step: seconds, of processor time too, rows a second, and the bare parse's seconds as a part of the step's."""
    lines = [f"{'':<44}{'seconds':>9}{'processor':>11}{'rows/s':>14}{'ratio':>9}"]
    for name, took in seconds.items():
        shown = "  " + name.partition(" / ")[2] if " / " in name else name
        took = max(took, 1e-4)
        lines.append(f"{shown:<44}{took:>9.2f}{processor[name]:>11.2f}{rows / took:>14,.0f}{bare / took:>9.2f}")
    return lines


def memory(by_step: dict[str, tuple[int, int]]) -> list[str]:
    lines = [f"{'peak memory, MB':<44}{'process':>9}{'PostgreSQL':>14}"]
    return lines + [f"{name:<44}{here >> 20:>9,}{server >> 20:>14,}" for name, (here, server) in by_step.items()]


def answers(title: str, figures: dict[str, dict[str, float]]) -> list[str]:
    lines = [f"{title:<44}{'median ms':>9}{'p95 ms':>14}{'queries':>9}"]
    return lines + [f"  {n:<42}{f['median']:>9.1f}{f['p95']:>14.1f}{f['queries']:>9.0f}" for n, f in figures.items()]
