"""Who asks: users, passwords, tokens, throttling, tickets."""
