"""`python -m stream.cli`: the same as the command `contact-stream`, for where the script is not on the path."""

import sys

from stream.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
