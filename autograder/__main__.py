"""``python -m autograder`` is the same as the command ``autograder``."""

from autograder.cli import main

raise SystemExit(main())
