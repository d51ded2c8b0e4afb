"""Where the site lives is said once, and every absolute address follows from it."""

from __future__ import annotations

import pytest
from site_address import SiteAddress, find_address
from sphinx.errors import ConfigError


def found(url: str = "", environment: dict[str, str] | None = None, baseurl: str = "") -> SiteAddress:
    address = find_address(url, environment or {}, baseurl)
    assert address is not None
    return address


def test_nothing_set_means_no_address() -> None:
    assert find_address("", {}) is None


def test_jupyter_books_own_default_repository_is_not_ours() -> None:
    assert find_address("https://github.com/executablebooks/jupyter-book", {}) is None


@pytest.mark.parametrize(
    "url",
    ["https://github.com/Ada/course", "https://github.com/Ada/course/", "https://github.com/Ada/course.git"],
)
def test_the_repository_gives_its_pages_and_colab_addresses(url: str) -> None:
    address = found(url)

    assert address.repository == "https://github.com/Ada/course"
    assert address.page("book/one") == "https://ada.github.io/course/book/one.html"
    colab = "https://colab.research.google.com/github/Ada/course/blob"
    assert address.colab_exercise("kernels") == f"{colab}/main/exercises/kernels.ipynb"
    assert address.colab_chapter("one") == f"{colab}/gh-pages/notebooks/one.ipynb"


def test_github_repository_overrides_the_configuration() -> None:
    address = found("https://github.com/Ada/course", {"GITHUB_REPOSITORY": "bob/a.fork"})

    assert address.pages == "https://bob.github.io/a.fork/"


def test_a_repository_named_like_its_owners_host_is_the_root_of_that_host() -> None:
    assert found("https://github.com/Ada/ada.github.io").pages == "https://ada.github.io/"


def test_a_domain_of_ones_own_is_kept() -> None:
    address = found("https://github.com/Ada/course", baseurl="https://course.example.org")

    assert address.page("book/one") == "https://course.example.org/book/one.html"


@pytest.mark.parametrize(
    "url",
    ["Ada/course", "http://github.com/Ada/course", "https://gitlab.com/Ada/course", "https://github.com/Ada"],
)
def test_a_malformed_repository_is_one_clear_error(url: str) -> None:
    with pytest.raises(ConfigError) as error:
        find_address(url, {})

    assert url in str(error.value)
    assert "https://github.com/OWNER/NAME" in str(error.value)


def test_a_malformed_environment_variable_is_one_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"GITHUB_REPOSITORY is 'course'. Set it to OWNER/NAME"):
        find_address("", {"GITHUB_REPOSITORY": "course"})
