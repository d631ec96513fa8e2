"""One rendering of `/metrics`.

Negotiation, headers and the families of the process come from the client library, the lines of the shards
by the series themselves.

Never in this module: a socket, an event loop. A rendering may run in any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

from prometheus_client.exposition import choose_encoder

from stream.telemetry.collector import metric, metrics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric

    from stream.telemetry.catalogue import Exposed
    from stream.telemetry.collector import Block, ShardCollector
    from stream.telemetry.process import ProcessMetrics

_END: Final = "# EOF\n"
_RENAMING: Final = "escaping=dots"
"""The one negotiated escaping that changes names without odd characters; left to the client library altogether."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What one scrape gets: the body and its content type."""

    body: bytes
    content_type: str


class _Families:
    """Families as a registry, which is all an encoder of the client library asks for."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class Renderer:
    """Renders the shards and the process; one rendering at a time."""

    def __init__(self, shards: ShardCollector, process: ProcessMetrics) -> None:
        """Keep what is rendered."""
        self._shards = shards
        self._process = process
        self._headers: dict[tuple[str, str], str] = {}

    def render(self, accept: str) -> Rendering:
        """Render what is committed now.

        Args:
            accept: the request's Accept header, empty for none.

        Returns:
            OpenMetrics or the text format, as the client library chooses for `accept`.
        """
        began = perf_counter()
        encoder, content_type = negotiated(accept)
        blocks, local = self._shards.scrape()
        rest = [*local, *self._process.collect()]
        if _RENAMING in content_type:
            body = encoder(_Families([*metrics_of(blocks), *rest]))
        else:
            text = "".join(self._lines(encoder, content_type, blocks))
            body = text.encode() + encoder(_Families(rest))
        self._process.metrics_rendered(perf_counter() - began)
        return Rendering(body, content_type)

    def _lines(self, encoder: Encoder, content_type: str, blocks: list[Block]) -> list[str]:
        """Headers and lines of the shards' families, in order."""
        lines: list[str] = []
        for entry, place, series in blocks:
            lines.append(self._header(encoder, content_type, entry))
            lines.extend([one.texts[place] for one in series])
        return lines

    def _header(self, encoder: Encoder, content_type: str, entry: Exposed) -> str:
        """HELP, TYPE and UNIT as the client library writes them, kept."""
        key = (content_type, entry.name)
        if key not in self._headers:
            self._headers[key] = encoder(_Families([metric(entry)])).decode().removesuffix(_END)
        return self._headers[key]


if TYPE_CHECKING:
    Encoder = Callable[[_Families], bytes]


def negotiated(accept: str) -> tuple[Encoder, str]:
    """The client library's encoder and content type for an Accept header; its default if the header makes no sense."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):
        return choose_encoder("")
