"""``python -m actorq.testing.simulation``."""

import sys

from actorq.testing.simulation.command import main

if __name__ == "__main__":
    sys.exit(main())
