"""What other sites read: sitemap, Open Graph tags and the page for wrong addresses.

All three want the site's own address, which `site_address` finds out. Without one they would warn, or write
half addresses that lead nowhere; so here they fall silent instead.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

_LOST = """
<h1>Mostly harmless, but not here</h1>
<p>No page lives at this address. It may have moved, or a letter may have gone missing on the way.</p>
<p>The search box and the list of chapters beside this text know where everything is. If a link of ours
brought you here, that link is wrong, not you.</p>
"""

# The card's address is taken relative to the site; the same picture serves every page.
_CARD = "_static/social-card.png"
_CARD_ALT = "Mostly Harmless Convolutions: a grid of three by three cells with one cell lit."


def settle(app: Sphinx, config: Config) -> None:
    """Fill in what the three extensions need, or keep them quiet where there is no address."""
    config.notfound_context = {"title": "Page not found", "body": _LOST}
    config.ogp_site_name = config.html_title
    config.ogp_social_cards = {"enable": False}  # they draw with matplotlib and a font of their own
    if config.html_baseurl:
        config.ogp_image = _CARD
        config.ogp_image_alt = _CARD_ALT
        config.sitemap_url_scheme = "{link}"
        config.sitemap_excludes = ["404.html", "search.html", "genindex.html"]
    else:
        config.notfound_urls_prefix = "/"
        config.suppress_warnings = [*config.suppress_warnings, "sitemap"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    for extension in ("sphinx_sitemap", "sphinxext.opengraph", "notfound.extension"):
        app.setup_extension(extension)
    app.connect("config-inited", settle, priority=200)  # after site_address, which speaks at 100
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
