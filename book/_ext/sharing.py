"""What other sites read: sitemap, Open Graph tags and the page for wrong addresses.

All three want the site's own address, which `site_address` finds out. Without one they would warn, or write
half addresses that lead nowhere; so here they fall silent instead.

The sitemap is ours: sphinx-sitemap (2.9.0) lists only the pages that a build rewrote, so after a change to
one chapter it would name that chapter alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

from sphinx.application import Sphinx
from sphinx.config import Config

_LOST = """
<h1>Mostly harmless, but not here</h1>
<p>No page lives at this address. It may have moved, or a letter may have gone missing on the way.</p>
<p>The search box and the list of chapters beside this text know where everything is. If a link of ours
brought you here, that link is wrong, not you.</p>
<p><a href="{front}">Back to the front page</a></p>
"""

# The card's address is taken relative to the site; the same picture serves every page.
_CARD = "_static/social-card.png"
_CARD_ALT = "Mostly Harmless Convolutions: a grid of three by three cells with one cell lit."


def spare_drawing_of_cards() -> None:
    """Stand in for the part of sphinxext-opengraph that draws cards: it loads matplotlib in every build."""
    cards: Any = ModuleType("sphinxext.opengraph._social_cards")
    cards.create_social_card, cards.DEFAULT_SOCIAL_CONFIG = None, {}
    sys.modules.setdefault(cards.__name__, cards)


def settle(app: Sphinx, config: Config) -> None:
    """Fill in what the three extensions need, or keep them quiet where there is no address."""
    config.ogp_site_name = config.html_title
    config.ogp_social_cards = {"enable": False}  # see spare_drawing_of_cards
    if config.html_baseurl:
        config.ogp_image = _CARD
        config.ogp_image_alt = _CARD_ALT
    else:
        config.notfound_urls_prefix = "/"
    front = f"{config.notfound_urls_prefix or '/'}{config.root_doc}.html"
    config.notfound_context = {"title": "Page not found", "body": _LOST.format(front=front)}


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """Name every page's address for search engines, in the form of sitemaps.org."""
    base = app.config.html_baseurl
    if exception or not base or app.builder.format != "html":
        return
    addresses = ElementTree.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for name in sorted(app.env.found_docs):
        page = ElementTree.SubElement(addresses, "url")
        ElementTree.SubElement(page, "loc").text = f"{base.rstrip('/')}/{app.builder.get_target_uri(name)}"
    tree = ElementTree.ElementTree(addresses)
    ElementTree.indent(tree)
    tree.write(Path(app.outdir) / "sitemap.xml", encoding="utf-8", xml_declaration=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    spare_drawing_of_cards()
    for extension in ("sphinxext.opengraph", "notfound.extension"):
        app.setup_extension(extension)
    app.connect("config-inited", settle, priority=200)  # after site_address, which speaks at 100
    app.connect("build-finished", write_sitemap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
