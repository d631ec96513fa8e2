"""State keys as people and Prometheus write them: ``family{label="value"}``.

Source: 3-metrics; the keys of the golden scenarios are written so.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from stream.core.figures.families import SERVICE, bounds_ms
from stream.core.figures.figures import CounterKey
from stream.core.policy import NONE

_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_PARTS = ("_bucket", "_count", "_sum")


def series(name: str, labels: Mapping[str, str]) -> str:
    """``name{a="x",b="y"}``, labels in the order given."""
    inner = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{inner}}}" if inner else name


@lru_cache(maxsize=100_000)
def series_of(key: CounterKey) -> str:
    """A counter key as text; a histogram bucket (counted for itself) carries its ``le``."""
    family = SERVICE[str(key[0])]
    labels = dict(zip(family.labels, map(str, key[1:]), strict=False))
    if family.kind != "histogram":
        return series(family.name, labels)
    part = key[-1]
    if part == "sum":
        return series(f"{family.name}_sum", labels)
    bounds = bounds_ms(family.name, labels.get("channel", NONE))
    le = str(bounds[part] / 1000) if isinstance(part, int) and part < len(bounds) else "+Inf"
    return series(f"{family.name}_bucket", {**labels, "le": le})


def net_figures(counters: Mapping[CounterKey, tuple[int, int] | int]) -> dict[str, int | float]:
    """Net figures by series: total - retracted; seconds where the name says so; buckets cumulative.

    Args:
        counters: state keys -> (total, retracted), or a net amount.

    Returns:
        Nonzero figures only; a histogram as ``_bucket``, ``_count`` and ``_sum``.
    """
    plain: dict[str, int | float] = {}
    histograms: dict[CounterKey, dict[int | str, int]] = {}
    for key, value in counters.items():
        net = value if isinstance(value, int) else value[0] - value[1]
        family = SERVICE[str(key[0])]
        if not net:
            continue
        if family.kind == "histogram":
            histograms.setdefault(key[:-1], {})[key[-1]] = net
        else:
            plain[series_of(key)] = _seconds(net) if family.unit == "seconds" else net
    for base, parts in histograms.items():
        plain.update(_histogram(base, parts))
    return plain


@lru_cache(maxsize=100_000)
def parse_series(text: str) -> tuple[str, Mapping[str, str]]:
    """The name and the labels of a series as `series` writes it; the labels are not to be changed."""
    name, _, inner = text.partition("{")
    return name, {label: _ESCAPED.sub(_plain, value) for label, value in _LABEL.findall(inner)}


def family_of(series_name: str) -> str:
    """The family of a series: without labels, and without the part of a histogram."""
    name = series_name.partition("{")[0]
    return next((base for part in _PARTS if (base := name.removesuffix(part)) in SERVICE), name)


def _histogram(base: CounterKey, parts: Mapping[int | str, int]) -> dict[str, int | float]:
    family = SERVICE[str(base[0])]
    labels = dict(zip(family.labels, map(str, base[1:]), strict=True))
    figures: dict[str, int | float] = {}
    seen = 0
    bounds = bounds_ms(family.name, labels.get("channel", NONE))
    for i, bound in enumerate(bounds):
        seen += parts.get(i, 0)
        if seen:
            figures[series(f"{family.name}_bucket", {**labels, "le": str(bound / 1000)})] = seen
    seen += parts.get(len(bounds), 0)
    figures[series(f"{family.name}_bucket", {**labels, "le": "+Inf"})] = seen
    figures[series(f"{family.name}_count", labels)] = seen
    figures[series(f"{family.name}_sum", labels)] = _seconds(parts.get("sum", 0))
    return figures


def _seconds(milliseconds: int) -> int | float:
    whole, rest = divmod(milliseconds, 1000)
    return whole if not rest else milliseconds / 1000


def _plain(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else escape[1]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
