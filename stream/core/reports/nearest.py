"""Which of our definitions another system's report follows: the one with the least sum of absolute differences.

Three choices are looked at: the attribution (arrival or outcome), the service level (SL1 to SL6), and abandonment
(gross or net). The counts decide the attribution, where the report has any and they tell; else its rates do. The rates
are compared under it, in those intervals only where theirs and every one of ours has a value, so that no definition
wins by having none. Several that are equally near are all named: the data cannot tell them apart.

Never in this module: a file, or a judgement of which definition is right. Source: 5-operating 5.4, 2-numbers 2.2, 2.3.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from stream.core.figures.ratios import Ratio, abandonment, service_levels
from stream.core.reports.sheets import QUEUES, queue_counts
from stream.core.reports.sums import ATTRIBUTIONS, RowName, Sums

Given = Mapping[str, float]
"""What their report says of one row, by column: counts, shares from 0 to 1, times in seconds; a blank is left out."""

COUNTS: Final = ("answered", "in_target", "abandoned", "short", "lost", "other")
"""Counts that lie differently by arrival and by outcome."""
COLUMNS: Final = ("offered", *COUNTS, "handled", "service_level", "abandonment", "speed_of_answer", "handle_time")
"""Everything of another report that can be compared."""
_ROUNDING: Final = 1e-9
_Candidates = Callable[[Sums], Mapping[str, Ratio]]


class Nearest(NamedTuple):
    """One choice, decided.

    Attributes:
        about: what was chosen.
        names: the nearest; several where the data cannot tell them apart, none where there is nothing to compare.
        distances: of each candidate the sum of absolute differences.
        compared: how many values of theirs went into each sum.
        rate: whether they are shares from 0 to 1, not counts.
    """

    about: str
    names: tuple[str, ...]
    distances: Mapping[str, float]
    compared: int
    rate: bool

    @property
    def name(self) -> str:
        """The one to go on with: of several, or of none, the first."""
        return (*self.names, *self.distances)[0]


class Difference(NamedTuple):
    """One value of theirs beside ours; None = there is none."""

    row: RowName
    column: str
    theirs: float | None
    ours: float | None


class Match(NamedTuple):
    """The three choices, and every value beside ours under them."""

    attribution: Nearest
    service_level: Nearest
    abandonment: Nearest
    differences: list[Difference]


def match(theirs: Mapping[RowName, Given], ours: Mapping[str, Mapping[RowName, Sums]]) -> Match:
    """Find the nearest definitions, and what differs under them.

    Args:
        theirs: what their report says, by row; columns as in `COLUMNS`.
        ours: attribution -> rows of the same span.
    """
    columns = tuple(column for column in COLUMNS if any(column in given for given in theirs.values()))
    rates = {by: _rates(theirs, ours[by], columns) for by in ATTRIBUTIONS}
    attribution = _attribution(theirs, ours, [column for column in columns if column in COUNTS])
    if len(attribution.names) != 1:
        attribution = _by_rates(rates) or attribution
    level, given_up = rates[attribution.name]
    own = ours[attribution.name]
    differences = [
        Difference(row, column, theirs.get(row, {}).get(column), said.get(column))
        for row in sorted(theirs.keys() | own.keys())
        for said in [_values(own.get(row, {}), level.name, given_up.name)]
        for column in columns
    ]
    return Match(attribution, level, given_up, differences)


def _attribution(
    theirs: Mapping[RowName, Given], ours: Mapping[str, Mapping[RowName, Sums]], counts: list[str]
) -> Nearest:
    compared = len(counts) * len(theirs)
    distances = {by: _apart(theirs, ours[by], counts) for by in ATTRIBUTIONS}
    return Nearest("attribution", _least(distances) if compared else (), distances, compared, rate=False)


def _by_rates(rates: Mapping[str, tuple[Nearest, ...]]) -> Nearest | None:
    """The attribution by what the rates are apart under their nearest definitions; None where there are no rates."""
    found = {by: [rate for rate in both if rate.rate and rate.compared] for by, both in rates.items()}
    if not all(found.values()):
        return None
    distances = {by: sum(min(rate.distances.values()) for rate in both) for by, both in found.items()}
    compared = sum(rate.compared for rate in found[ATTRIBUTIONS[0]])
    return Nearest("attribution", _least(distances), distances, compared, rate=True)


def _rates(
    theirs: Mapping[RowName, Given], ours: Mapping[RowName, Sums], columns: tuple[str, ...]
) -> tuple[Nearest, Nearest]:
    """Service level and abandonment under one attribution; abandonment by its count where there is no rate."""
    pairs = [(given, ours.get(row, {})) for row, given in theirs.items()]
    levels = _nearest("service level", "service_level", pairs, lambda sums: service_levels(queue_counts(sums)))
    if "abandonment" in columns:
        return levels, _nearest("abandonment", "abandonment", pairs, lambda sums: abandonment(queue_counts(sums)))
    return levels, _nearest("abandonment", "abandoned", pairs, _abandoned)


def _abandoned(sums: Sums) -> dict[str, Ratio]:
    """The count of abandons, gross and net, as if it were a rate."""
    counts = queue_counts(sums)
    net = counts.of("abandoned", "exited")
    return {"gross": (net + counts.of("abandoned_short"), 1), "net": (net, 1)}


def _nearest(about: str, column: str, pairs: list[tuple[Given, Sums]], candidates: _Candidates) -> Nearest:
    distances = dict.fromkeys(candidates({}), 0.0)
    compared = 0
    for given, sums in pairs:
        own = candidates(sums)
        if column in given and all(whole for _, whole in own.values()):
            compared += 1
            for name, (part, whole) in own.items():
                distances[name] += abs(given[column] - part / whole)
    return Nearest(about, _least(distances) if compared else (), distances, compared, column != "abandoned")


def _apart(theirs: Mapping[RowName, Given], ours: Mapping[RowName, Sums], counts: list[str]) -> float:
    """How far all counts are apart; abandons taken gross or net, whichever is nearer."""
    apart = dict.fromkeys(("gross", "net"), 0.0)
    for row in theirs.keys() | ours.keys():
        given, sums = theirs.get(row, {}), ours.get(row, {})
        for name in apart:
            own = _values(sums, "SL3", name)
            apart[name] += sum(abs(given.get(column, 0.0) - (own.get(column) or 0.0)) for column in counts)
    return min(apart.values())


def _values(sums: Sums, level: str, given_up: str) -> dict[str, float]:
    """Our values of a row under these definitions, as a report gives them; no value is left out."""
    counts = queue_counts(sums)
    abandoned = _abandoned(sums)[given_up][0]
    ratios = {
        **QUEUES.of(sums),
        "abandoned": abandoned,
        "service_level": service_levels(counts)[level],
        "abandonment": abandonment(counts)[given_up],
    }
    found: dict[str, float] = {}
    for column in COLUMNS:
        value = ratios[column]
        if isinstance(value, int):
            found[column] = value
        elif value[1]:
            found[column] = value[0] / value[1] / (1000 if column in ("speed_of_answer", "handle_time") else 1)
    return found


def _least(distances: Mapping[str, float]) -> tuple[str, ...]:
    least = min(distances.values())
    return tuple(name for name, far in distances.items() if far - least <= _ROUNDING * max(1.0, least))
