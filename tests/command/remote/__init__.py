"""The commands for the network."""
