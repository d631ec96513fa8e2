"""Interval cells added up to periods, tables, heat maps and comparisons."""
