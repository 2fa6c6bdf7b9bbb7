"""Makes `python -m lightwell` the command line."""

from lightwell.cli import main

if __name__ == "__main__":
    main()
