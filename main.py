"""Starts nnviz from a checkout: `python main.py [arguments]`."""

import sys

from nnviz.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
