"""Measurements. `python -m benchmarks --help` lists them; no test depends on a time."""
