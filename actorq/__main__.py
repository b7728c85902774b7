"""``python -m actorq``: the same as the command ``actorq``."""

import sys

from actorq.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
