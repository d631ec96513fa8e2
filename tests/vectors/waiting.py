"""The expectations that belong to parts of the product not built yet. Each use is named in the test run."""

from stream.core.families import SERVICE

_PARTS = ("_bucket", "_count", "_sum")

seen: set[str] = set()


def waits(name: str) -> bool:
    """Whether a family waits for a later part of the product; remembers that it was met.

    A family, with or without labels, waits while the catalogue does not have it: nothing can count or export it before.
    """
    base = name.partition("{")[0]
    family = next((base.removesuffix(part) for part in _PARTS if base.removesuffix(part) in SERVICE), base)
    later = base.startswith("contact_") and family not in SERVICE
    if later:
        seen.add(base)
    return later
