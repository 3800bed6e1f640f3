"""
Whatever happens to it, it goes on serving: kills, bad drivers, bad clients.

The storms are functions that take a server and a count. The tests beside them
run a sample; ``scripts/soak`` runs the full counts and prints the figures.
"""
