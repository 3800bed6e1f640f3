"""The control socket: how the ``rotoclear`` command acts on a running server."""
