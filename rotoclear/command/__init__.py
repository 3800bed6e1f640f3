"""The ``rotoclear`` command."""
