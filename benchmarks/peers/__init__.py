"""
Other people's WebSocket servers, each with the same small one on it.

They take a change ``{KEY: NUMBER}`` from 0 to 100, confirm it to its sender, and
send it to all clients: far less than ours does, so what ours takes beyond them
is what it does beyond them. No compression, nothing tuned but what their own
documentation advises.
"""
