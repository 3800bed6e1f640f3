"""The client for Twisted. It takes nothing that the server does not."""

from rotoclear.client.twisted.client import Client

__all__ = ["Client"]
