"""``twistd``, with a server in it that only says hello: what is tested is how it starts."""

from __future__ import annotations

import sys
import types

HELLO = b"hello"


def make_service(reactor, configuration, data_dir, listeners):
    from twisted.web.server import Site
    from twisted.web.static import Data

    from rotoclear.listening.endpoints import ListenerService

    root = Data(HELLO, "text/plain")
    root.putChild(b"", root)
    return ListenerService(reactor, listeners, Site(root))


def main():
    service = types.ModuleType("rotoclear.service")
    service.make_service = make_service
    sys.modules["rotoclear.service"] = service
    from twisted.scripts.twistd import run

    sys.argv[0] = "twistd"
    run()


if __name__ == "__main__":
    main()
