"""The control server for machine-tool cameras."""

__version__ = "0.1.0"
