"""The part with the window open: throughput beside that of a headless engine, and how late a 16 ms Qt timer is."""
from __future__ import annotations
def collect(bench, results): pass
