"""Being found in the local network: multicast DNS and DNS-SD (RFC 6762, RFC 6763)."""
