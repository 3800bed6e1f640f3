"""What keeps the server from starting."""

from __future__ import annotations


class StartError(Exception):
    """
    The server cannot start.

    ``str()`` is one line for people: what is wrong, where, and what is
    allowed. ``twistd rotoclear`` prints it and exits before it becomes a daemon.
    """
