"""The server's child processes: how they are started, talked with, and die."""
