"""Films and pictures on a volume, in the hands of a process that may hang with it."""
