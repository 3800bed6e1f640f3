"""What is plugged in: the plugins, the processes they live in, heads, lamps and volumes."""
