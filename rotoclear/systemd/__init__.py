"""What systemd is told: that the server is ready, what it does, that it is alive."""
