"""`python -m conv_core`: see `conv_core.commands.cli`."""

from conv_core.commands.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
