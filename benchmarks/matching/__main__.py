"""`python -m benchmarks.matching`: precision and recall of matching by title and creators, on labelled questions.

With `--fit` the scores are made anew from one half of the questions (`licensing/matching/calibration.json`). What is printed and
kept in `benchmarks/results/matching.json` is measured on the other half. With `--blind` it is measured on another year, which
nothing was tuned on, and kept beside the rest under `blind`. Whoever tunes anything after looking at a blind year needs a
new one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
from typing import Any

import django

PROMISED = (
    "0.9950"  # of what the matcher decides by itself, so much at least is right: only classes that reach it count
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="make the scores anew first")
    parser.add_argument("--blind", action="store_true", help="measure on the year that nothing was tuned on")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks.matching import measuring, pairs

    if options.blind:
        _keep(_kept() | {"blind": _blind()})
        return
    works = pairs.catalogue()
    questions = pairs.questions(works)
    if options.fit:
        _fit(measuring.answer(works, [q for q in questions if q.half == "fit"]), len(works))
    held_out = [question for question in questions if question.half == "held_out"]
    measured = measuring.measured(measuring.answer(works, held_out))
    kept = {"blind": _kept().get("blind")}
    _keep(_about(pairs.TUNING.name, works, pairs.SEED) | measured | {k: v for k, v in kept.items() if v})


def _blind() -> dict[str, Any]:
    from benchmarks.matching import measuring, pairs

    works = pairs.blind()
    answered = measuring.answer(works, pairs.questions(works, seed=pairs.BLIND_SEED))
    return _about(pairs.BLIND.name, works, pairs.BLIND_SEED) | measuring.measured(answered)


def _about(catalogue: str, works: Any, seed: int) -> dict[str, Any]:
    return {
        "catalogue": catalogue,
        "works": len(works),
        "registered": sum(work.registered for work in works),
        "seed": seed,
        "measured_on": dt.date.today().isoformat(),
    }


def _kept() -> dict[str, Any]:
    from benchmarks.report import RESULTS

    path = RESULTS / "matching.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _keep(result: dict[str, Any]) -> None:
    from benchmarks.report import RESULTS

    text = json.dumps(result, indent=1, ensure_ascii=False)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "matching.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def _fit(answered: Any, works: int) -> None:
    from benchmarks.matching import measuring, pairs
    from licensing.matching.core import scoring

    table = measuring.fit(answered)
    data = {
        "origin": "labelled questions made from config/demo/data/cce-renewals-1951-1A.tsv by benchmarks/matching, the half named fit",
        "made_on": dt.date.today().isoformat(),
        "works": works,
        "questions": len(answered),
        "seed": pairs.SEED,
        "threshold": PROMISED,
        "classes": [
            {"title": title, "creators": creators, "pairs": n, "same": k, "score": measuring.as_score(score)}
            for (title, creators), (n, k, score) in table.items()
        ],
    }
    scoring.CALIBRATION.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    scoring.table.cache_clear()
    scoring.threshold.cache_clear()


if __name__ == "__main__":
    main()
