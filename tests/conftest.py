"""Fixtures that tests of several folders share."""

from tests.colab import colab_python, fresh_colab_python, run_alone

__all__ = ["colab_python", "fresh_colab_python", "run_alone"]
