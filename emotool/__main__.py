"""Let ``python -m emotool`` do what the ``emotool`` command does."""

from emotool.cli import main

if __name__ == "__main__":
    main()
