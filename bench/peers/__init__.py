"""The same small job in other programs, to measure against; their dependencies are not the product's."""
