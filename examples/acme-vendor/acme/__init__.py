"""Drivers of Acme's machines for rotoclear, and a machine to try them with."""
