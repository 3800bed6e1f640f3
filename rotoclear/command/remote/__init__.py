"""The commands that ask a server over the network, from wherever it can be reached."""
