"""The engine: a process of its own that makes pictures of frames."""
