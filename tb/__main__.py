"""`python -m tb`: see `tb.cli`."""

from tb.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
