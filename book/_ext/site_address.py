"""Where the site lives: one setting, and every absolute address made from it.

``repository.url`` in ``_config.yml`` says it for a build on anybody's machine; the environment variable
``GITHUB_REPOSITORY`` (``owner/name``, set by GitHub's runners) says it for a fork's own build and wins.
Where neither is set the site has no absolute address at all, and nothing that needs one is shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

COLAB = "https://colab.research.google.com/github"

# Colab opens only what is committed on GitHub: exercises are, on the main branch; the chapters' notebooks
# are generated, so they exist only where the built site is published.
EXERCISES_BRANCH = "main"
CHAPTERS_BRANCH = "gh-pages"

# What Jupyter Book fills in when _config.yml says nothing about a repository: its own, never ours.
_JUPYTER_BOOKS_OWN = "https://github.com/executablebooks/jupyter-book"

_OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = r"[A-Za-z0-9._-]+"


@dataclass(frozen=True)
class SiteAddress:
    """A repository on GitHub and the addresses that follow from it."""

    owner: str
    name: str
    pages: str

    @property
    def repository(self) -> str:
        """Return the repository's page on GitHub."""
        return f"https://github.com/{self.owner}/{self.name}"

    def page(self, docname: str) -> str:
        """Return the published address of a page, given its Sphinx name."""
        return f"{self.pages}{docname}.html"

    def colab_chapter(self, slug: str) -> str:
        """Return the address that opens a chapter's notebook in Colab."""
        return f"{COLAB}/{self.owner}/{self.name}/blob/{CHAPTERS_BRANCH}/notebooks/{slug}.ipynb"

    def colab_exercise(self, slug: str) -> str:
        """Return the address that opens an exercise's notebook in Colab."""
        return f"{COLAB}/{self.owner}/{self.name}/blob/{EXERCISES_BRANCH}/exercises/{slug}.ipynb"


def find_address(
    repository_url: str, environment: Mapping[str, str], baseurl: str = ""
) -> SiteAddress | None:
    """Return the site's address, or None where nobody has said where it lives.

    repository_url  what ``_config.yml`` says, may be empty
    environment     ``os.environ`` or a stand-in
    baseurl         an address of one's own (a custom domain) instead of ``owner.github.io``
    Raises ConfigError with one sentence if a value is there and is not what it should be.
    """
    from_github = environment.get("GITHUB_REPOSITORY", "").strip()
    url = repository_url.strip()
    if from_github:
        match = re.fullmatch(rf"({_OWNER})/({_NAME})", from_github)
        if match is None:
            raise ConfigError(
                f"The environment variable GITHUB_REPOSITORY is {from_github!r}. "
                "Set it to OWNER/NAME, or unset it."
            )
    elif url and url.rstrip("/") != _JUPYTER_BOOKS_OWN:
        match = re.fullmatch(rf"https://github\.com/({_OWNER})/({_NAME}?)(?:\.git)?/?", url)
        if match is None:
            raise ConfigError(
                f"_config.yml: repository.url is {url!r}. "
                "Write https://github.com/OWNER/NAME, or leave it empty."
            )
    else:
        return None
    owner, name = match.groups()
    return SiteAddress(owner, name, _pages(owner, name, baseurl))


def _pages(owner: str, name: str, baseurl: str) -> str:
    if baseurl:
        return baseurl.rstrip("/") + "/"
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def get_address(config: Config) -> SiteAddress | None:
    """Return the address that this build uses, None where there is none."""
    return find_address(
        str(config.html_theme_options.get("repository_url") or ""), os.environ, str(config.html_baseurl or "")
    )


def tell_everybody(app: Sphinx, config: Config) -> None:
    """Give the address to Sphinx and to the extensions that ask for it under a name of their own."""
    address = get_address(config)
    # Either way the theme must not see Jupyter Book's own repository, nor half an address.
    config.html_theme_options["repository_url"] = address.repository if address else ""
    config.html_theme_options["repository_branch"] = EXERCISES_BRANCH
    if address is None:
        return
    config.html_baseurl = address.pages
    if "ogp_site_url" in config.values and not config.ogp_site_url:
        config.ogp_site_url = address.pages
    if "notfound_urls_prefix" in config.values:
        # A 404 page is shown at any depth, so its links start at the root of the host.
        config.notfound_urls_prefix = urlsplit(address.pages).path


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; early, because others read what it sets."""
    app.connect("config-inited", tell_everybody, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
