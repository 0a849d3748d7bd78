"""`python -m wsgui`: the same program as the `wsgui` command."""

import sys

from wsgui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
