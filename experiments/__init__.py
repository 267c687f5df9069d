"""Experiments on real networks, each run by ``python -m experiments.NAME``."""
