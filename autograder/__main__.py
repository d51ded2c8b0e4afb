"""The command ``autograder``; ``python -m autograder`` is the same."""

import sys


def main() -> int:
    """Run the command line; say it plainly if Ctrl-C comes while it is still being read."""
    try:
        from autograder.cli import main as run
    except KeyboardInterrupt:
        print("\nStopped at once. Nothing was begun.", file=sys.stderr)
        return 1
    return run()


if __name__ == "__main__":
    raise SystemExit(main())
