"""Bytes to the core's values and back: the only home of msgspec and orjson."""
