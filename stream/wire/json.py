"""JSON for lines, logs and pages: the one door through which orjson writes.

Never for reading events from Kafka: those are decoded typed, by the codec of this package.
"""

from typing import Any

import orjson


def dumps(value: object, *, indent: bool = False) -> bytes:
    """Return a value as compact UTF-8 JSON, or indented by two spaces.

    Raises:
        TypeError: the value holds something JSON has no word for.
    """
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)


def loads(text: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text.

    Raises:
        ValueError: it is not JSON.
    """
    return orjson.loads(text)
