"""Where the server listens: endpoint strings, sockets, TLS and its certificates."""
