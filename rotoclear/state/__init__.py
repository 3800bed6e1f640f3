"""What is so: the key table, the permissions, the model and its saved copy."""
