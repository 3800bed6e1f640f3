"""Settings, users and catalogue as one file, and back."""
