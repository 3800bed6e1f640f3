"""Pixels: what records and what takes pictures."""
