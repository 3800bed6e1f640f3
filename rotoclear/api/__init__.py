"""The wire: API v1 over WebSocket, and the same over HTTP."""
