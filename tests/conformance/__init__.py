"""
That the server's WebSocket is what RFC 6455 and RFC 7692 say.

What is tested is an echo made of the server's own parts, see :mod:`.echo`:
``scripts/autobahn`` has the Autobahn test suite talk to it, hundreds of cases.
The suite needs a Python 2.7, which few machines have; so the tests in here go
through the same ground in fewer steps, and need nothing but themselves.
"""
