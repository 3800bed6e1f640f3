"""The client for asyncio. It takes the extra ``rotoclear[client]``."""

from rotoclear.client.asyncio.client import Client

__all__ = ["Client"]
