"""``python -m rotoclear.testing MODULE:ATTRIBUTE``: a report on a driver and real hardware."""

import sys

from rotoclear.testing.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
