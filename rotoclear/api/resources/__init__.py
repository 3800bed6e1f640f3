"""What each address of the HTTP API does, a module for each subject."""
