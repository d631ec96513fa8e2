"""Measurements of the product beside its peers: ratios taken in one run, never timed tests.

Nothing in `stream` imports this package, and no test depends on a figure measured here.
Run `python -m bench`; the commands and the results stand in `bench/README.md`.
"""
