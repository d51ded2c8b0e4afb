"""Fixtures that tests of several folders share."""

import os
import signal

from hypothesis import settings

from tests.colab import colab_python, fresh_colab_python, run_alone

__all__ = ["colab_python", "fresh_colab_python", "run_alone"]

# A change is judged by what it changed: in CI the examples are the same for the same code. Elsewhere, and in
# the nightly run, they are new each time. No deadlines: the machines are shared.
settings.register_profile("explore", deadline=None)
settings.register_profile("same-examples", deadline=None, derandomize=True)
# On GitHub this would give every site that a test builds an address.
os.environ.pop("GITHUB_REPOSITORY", None)
# With this one, chapters would learn from 45,000 photographs instead of 3,000 drawings.
os.environ.pop("COURSE_CIFAR10", None)
# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.load_profile(
    "same-examples" if os.environ.get("CI") and not os.environ.get("EXPLORE") else "explore"
)
