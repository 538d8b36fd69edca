"""Matching measured on labelled questions: `python -m benchmarks.matching`."""
