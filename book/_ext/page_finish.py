"""The last hand on every page: take out what the theme loads for nothing, and mend what it leaves undone.

`finish` takes a page's HTML and gives it back; each step below it is one function with one reason. Sphinx
calls us through its own template bridge, so a page is finished before it is written.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from bs4.formatter import HTMLFormatter
from icons import icon
from PIL import Image
from sphinx.application import Sphinx
from sphinx.jinja2glue import BuiltinTemplateLoader


@dataclass(frozen=True)
class Page:
    """What the steps need to know about a page besides its HTML.

    name     its Sphinx name, such as ``book/sliding-window``
    folder   where the site is being written
    has_site whether the site's own address is known
    pictures where the pictures lie that Sphinx copies only after the pages are written, by their name there
    """

    name: str
    folder: Path
    has_site: bool
    pictures: Mapping[str, Path] = field(default_factory=dict)


class Elements:
    """A page's elements by name, ``.class`` and ``#id``, found in one walk: every CSS selector takes another.

    Elements that a step makes are not among them; those that a step deletes no longer are.
    """

    def __init__(self, soup: BeautifulSoup) -> None:
        self.soup = soup
        self._found: dict[str, list[Tag]] = defaultdict(list)
        for element in soup.find_all(True):
            keys = [element.name, *(f".{css_class}" for css_class in classes(element))]
            for key in [*keys, f"#{element['id']}"] if "id" in element.attrs else keys:
                self._found[key].append(element)

    def __call__(self, *keys: str) -> list[Tag]:
        """Return the elements that have any of these names, ``.classes`` and ``#ids``."""
        # What is deleted has lost its parent. Asked for `parent` or `decomposed`, it would look for a child
        # element of that name.
        return [element for key in keys for element in self._found.get(key, []) if "parent" in vars(element)]

    def in_article(self, name: str) -> list[Tag]:
        """Return the elements of this name within the text of the page."""
        return [element for element in self(name) if element.find_parent("article")]

    def with_class_like(self, part: str) -> list[Tag]:
        """Return the elements one of whose classes holds ``part``."""
        return self(*(key for key in self._found if key.startswith(".") and part in key))

    def everything(self) -> list[Tag]:
        return self(*(key for key in self._found if key[0] not in ".#"))


def classes(element: Tag) -> list[str]:
    return [str(css_class) for css_class in element.get_attribute_list("class") if css_class]


class _AsWritten(HTMLFormatter):
    """Keep attributes in their order, write void elements as HTML does."""

    def __init__(self) -> None:
        super().__init__(
            entity_substitution=HTMLFormatter.REGISTRY["minimal"].entity_substitution,
            void_element_close_prefix="",
            empty_attributes_are_booleans=True,
        )

    def attributes(self, tag: Tag) -> Iterable[tuple[str, Any]]:
        return [
            (name, None if value == "" and name in _FLAGS else value) for name, value in tag.attrs.items()
        ]


# Only these may be written without a value; alt="" must keep its quotes to be seen in the source.
_FLAGS = frozenset({"defer", "async", "hidden", "open", "disabled", "checked"})

# Scripts nobody needs here: live code, icons as a script, folding (native now), tabs and comments (unused);
# and the search index, which only the search page reads.
_USELESS = re.compile(
    r"thebe|fontawesome|togglebutton|togglehint|toggleopen|design-tabs|comments|hypothes|utteranc|mathjax|plotly|require(\.min)?\.js"
)
_SEARCH_ONLY = re.compile(r"searchtools|language_data|searchindex")
_USELESS_STYLE = re.compile(r"togglebutton|sphinx-thebe|fontawesome")

# What those scripts and styles leave behind in the output, and what no page asks for.
_DEAD_FILES = (
    "**/*.map", "**/*.LICENSE.txt", "scripts/fontawesome.js", "vendor/fontawesome/**/*", "locales/**/*",
    "styles/theme.css", "sphinx-thebe.*", "togglebutton.*", "design-tabs.js", "images/logo_*",
    "webpack-macros.html", "sbt-webpack-macros.html", "make_*.py",
    "**/README.md",
    "**/__pycache__/*", "__init__.py", "_sphinx_javascript_*.js", "mystnb.js",
)  # fmt: skip

_BUTTON_NAMES = {
    "primary-toggle": "Chapters",
    "secondary-toggle": "On this page",
    "search-button-field": "Search the book",
    "search-button__button": "Search the book",
    "theme-switch-button": "Light, dark or as the system",
    "dropdown-toggle": "Open and download",
}


def finish(html: str, page: Page) -> str:
    """Return the page, finished."""
    soup = BeautifulSoup(html, "html.parser")
    found = Elements(soup)
    for step in STEPS:
        step(found, page)
    return soup.decode(formatter=_AsWritten())


def drop_useless_scripts(found: Elements, page: Page) -> None:
    """Take out scripts and styles that serve nothing on this page."""
    for script in found("script"):
        said = f"{script.get('src', '')} {script.get('type', '')} {script.string or ''}"
        search_only = _SEARCH_ONLY.search(str(script.get("src", ""))) and page.name != "search"
        if _USELESS.search(said.lower()) or search_only:
            script.decompose()
    for link in found("link"):
        href = str(link.get("href", ""))
        if _USELESS_STYLE.search(href) or (
            link.get("as") == "script" and "preload" in link.get_attribute_list("rel")
        ):
            link.decompose()


def drop_idle_scripts(found: Elements, page: Page) -> None:
    """Take out what only pages with menus, cards or code to copy need, where there are none."""
    code = any(element.find("pre") for element in found(".highlight"))
    needed = {
        "bootstrap": any("data-bs-toggle" in element.attrs for element in found.everything()),
        "sphinx-design": found.with_class_like("sd-"),
        "copybutton": code,
        "clipboard": code,
        "mystnb": found(".cell"),
    }
    for tag in found("script", "link"):
        address = posixpath.basename(urlsplit(str(tag.get("src") or tag.get("href") or "")).path)
        if any(address.startswith(name) and not need for name, need in needed.items()):
            tag.decompose()


# Set before the first paint: the theme's own line leaves "auto" undecided, and a dark page flashes white.
_CHOOSE_THEME = (
    'const r=document.documentElement.dataset;let m="auto";'
    'try{m=localStorage.getItem("mode")||m}catch{}r.mode=m;'
    'r.theme=m==="auto"?matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light":m'
)


def choose_theme_early(found: Elements, page: Page) -> None:
    """Decide between light and dark in the head."""
    for script in found("script"):
        if "dataset.theme" in (script.string or "") and not script.get("src"):
            script.attrs.clear()
            script.string = f"{{{_CHOOSE_THEME}}}"


def link_basic_style(found: Elements, page: Page) -> None:
    """Link basic.css itself: the theme imports it by a style of one line, at the price of a lost request."""
    for link in found("link"):
        folder, theme, _ = str(link.get("href", "")).partition("styles/theme.css")
        if theme:
            link["href"] = folder + "basic.css"


def draw_icons(found: Elements, page: Page) -> None:
    """Put our own small SVGs where the theme puts letters of an icon font."""
    for letter in found("i", "span"):
        if not any(css_class.startswith("fa-") for css_class in classes(letter)):
            continue
        drawn: Any = BeautifulSoup(icon(classes(letter)), "html.parser").svg
        assert drawn is not None
        drawn["class"] = [
            *drawn.get_attribute_list("class"),
            *(c for c in classes(letter) if c == "theme-switch"),
        ]
        if mode := letter.get("data-mode"):
            drawn["data-mode"] = str(mode)
        letter.replace_with(drawn)


def drop_empty_bar(found: Elements, page: Page) -> None:
    """Empty the theme's header bar, which repeats the search; its script still wants the element."""
    for header in found("#pst-header"):
        header.clear(decompose=True)
        header["hidden"] = ""


def name_buttons(found: Elements, page: Page) -> None:
    """Give every icon button one plain name; a tooltip's title would be read out a second time."""
    for button in found("button"):
        for css_class in classes(button):
            if css_class in _BUTTON_NAMES:
                button["title"] = button["aria-label"] = _BUTTON_NAMES[css_class]
                for attribute in ("data-bs-title", "data-bs-toggle", "data-bs-placement"):
                    if button.get(attribute) != "dropdown":
                        del button[attribute]
        if button.get("title") and not button.get("aria-label"):
            button["aria-label"] = str(button["title"])
        if button.get_text(strip=True):  # words that are seen must be in the name; so let them be the name
            del button["aria-label"]
            del button["title"]


def name_folds(found: Elements, page: Page) -> None:
    """Let the words on a folded cell be its name; the stock label says something else."""
    for fold in found("details"):
        for summary in fold.find_all("summary", recursive=False) if "hide" in classes(fold) else ():
            del summary["aria-label"]


def mend_landmarks(found: Elements, page: Page) -> None:
    """Put everything inside a landmark, each with a name of its own."""
    for skip in found("#pst-skip-link"):
        skip.name = "nav"
        skip["aria-label"] = "Skip"
    for main in found("main"):
        main["tabindex"] = "-1"  # lets the skip link move the focus, not only the view
    for selector, name, label in (
        ("#pst-primary-sidebar", "nav", "Site"),
        ("#pst-secondary-sidebar", "aside", "On this page"),
    ):
        for bar in found(selector):
            if bar.name == "div":
                bar["role"] = {"nav": "navigation", "aside": "complementary"}[name]
                bar["aria-label"] = label
    for entry in found(".toctree-l1", ".toctree-l2"):
        for link in entry.find_all("a", recursive=False):
            if "current" in classes(link) and link.get("href") in ("#", "") and link.find_parent("nav"):
                link["aria-current"] = "page"
    for dialog in found("#pst-search-dialog"):
        dialog["aria-label"] = "Search"
    for dialog in found("#pst-primary-sidebar-modal"):
        dialog["aria-label"] = "Chapters"
    for dialog in found("#pst-secondary-sidebar-modal"):
        dialog["aria-label"] = "On this page"
    for article_header in found(".bd-header-article"):
        article_header["role"] = "region"
        article_header["aria-label"] = "Tools"
    for pixel in found("#pst-scroll-pixel-helper", ".sbt-scroll-pixel-helper"):
        pixel["aria-hidden"] = "true"


def mend_prev_next(found: Elements, page: Page) -> None:
    """Make the links to the neighbours a named navigation and spare readers the title read twice."""
    for area in found(".prev-next-area"):
        if not area.find("a"):
            (area.find_parent("footer") or area).decompose()
            continue
        area.name = "nav"
        area["aria-label"] = "Previous and next page"
        for link in area.find_all("a"):
            del link["title"]


def drop_print_contents(found: Elements, page: Page) -> None:
    """Drop the theme's second title and contents meant for paper: it doubles the h1 and every id's link."""
    for block in found("#jb-print-docs-body"):
        block.decompose()


def name_permalinks(found: Elements, page: Page) -> None:
    """Say what a # after a heading is."""
    for link in found(".headerlink"):
        link["aria-label"] = "Link here"
        link["title"] = "Link here"


def mend_tables(found: Elements, page: Page) -> None:
    """Give tables a box to scroll in, and turn empty header cells into plain ones."""
    for table in found.in_article("table"):
        for cell in table.find_all("th"):
            if not cell.get_text(strip=True) and not cell.find("img"):
                cell.name = "td"
        wrapper = table.parent
        if wrapper is None or "pst-scrollable-table-container" not in wrapper.get_attribute_list("class"):
            wrapper = table.wrap(found.soup.new_tag("div", attrs={"class": "pst-scrollable-table-container"}))
        wrapper["tabindex"] = "0"


def keep_stops_with_formulas(found: Elements, page: Page) -> None:
    """Let no line begin with the full stop or comma that follows a formula."""
    for formula in found.in_article("math"):
        after = formula.next_sibling
        stop = re.match(r"[.,;:!?)]+", after) if isinstance(after, NavigableString) else None
        if isinstance(after, NavigableString) and stop:
            together = formula.wrap(found.soup.new_tag("span", attrs={"class": "formula"}))
            together.append(stop[0])
            after.replace_with(after[stop.end() :])


def widen_for_doors(found: Elements, page: Page) -> None:
    """Mark the page that has doors from its top on: a selector that has to wait for them makes it jump."""
    if found(".doors"):
        for container in found(".bd-article-container"):
            if "with-doors" not in classes(container):
                container["class"] = " ".join([*classes(container), "with-doors"])


def let_code_scroll(found: Elements, page: Page) -> None:
    """Let code whose lines outgrow a telephone be reached and scrolled with the keyboard."""
    for code in found.in_article("pre"):
        if any(len(line) > _TELEPHONE for line in code.get_text().splitlines()):
            code["tabindex"] = "0"


_TELEPHONE = 38  # characters of code that fit a screen of 390 px


def size_images(found: Elements, page: Page) -> None:
    """Reserve every picture's place, and let all but the first wait until they are near.

    Figures are drawn with two pixels for each one on a common screen, so they stand at half their size.
    """
    for count, image in enumerate(found.in_article("img")):
        image["decoding"] = "async"
        if count:
            image["loading"] = "lazy"
        if "width" in image.attrs or "height" in image.attrs:
            continue
        if pixels := _pixels(str(image.get("src", "")), page):
            width, height = pixels
            image["width"], image["height"] = str(width), str(height)


def _pixels(src: str, page: Page) -> tuple[int, int] | None:
    parts = urlsplit(src)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    here = posixpath.dirname(page.name)
    path = page.folder / posixpath.normpath(posixpath.join(here, unquote(parts.path)))
    if path.parent.name == "_images":
        path = page.pictures.get(path.name, path)
    if path.suffix.lower() == ".svg":
        return svg_size(path.read_text(encoding="utf-8")) if path.is_file() else None
    try:
        with Image.open(path) as picture:
            # matplotlib writes its figure.dpi into the file; 100 of those make one pixel of a page.
            density = max(1.0, float(picture.info.get("dpi", (100, 100))[0]) / 100)
            return round(picture.width / density), round(picture.height / density)
    except OSError:
        return None


def svg_size(text: str) -> tuple[int, int] | None:
    """Return an SVG's width and height in pixels: from its attributes, else from its viewBox."""
    root = re.search(r"<svg\b[^>]*>", text)
    if root is None:
        return None
    given = [re.search(rf'\s{name}="([0-9.]+)(?:px)?"', root[0]) for name in ("width", "height")]
    if all(given):
        numbers = [match[1] for match in given if match]
    else:
        box = re.search(r'viewBox="\s*\S+\s+\S+\s+([0-9.]+)\s+([0-9.]+)\s*"', root[0])
        if box is None:
            return None
        numbers = [box[1], box[2]]
    try:
        width, height = (round(float(number)) for number in numbers)
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None


def drop_half_addresses(found: Elements, page: Page) -> None:
    """Where the site's address is unknown, leave out the tags that must hold one."""
    if not page.has_site:
        for tag in found("meta"):
            if re.match("og:(url|image)", str(tag.get("property", ""))):
                tag.decompose()


def point_to_assets(found: Elements, page: Page) -> None:
    """Point telephones to an icon, browsers without SVG icons to an .ico, and all to the fonts early."""
    icons = [link for link in found("link") if "icon" in link.get_attribute_list("rel")]
    if not icons:
        return
    favicon = icons[0]
    static = posixpath.dirname(str(favicon["href"]))
    favicon["type"] = "image/svg+xml"
    for rel, name in (("apple-touch-icon", "touch-icon.png"), ("alternate icon", "favicon.ico")):
        favicon.insert_after(found.soup.new_tag("link", attrs={"rel": rel, "href": f"{static}/{name}"}))
    font = {"rel": "preload", "as": "font", "type": "font/woff2", "crossorigin": "anonymous"}
    for style in ("italic", "normal"):  # a list of sources is half italic
        favicon.insert_after(
            found.soup.new_tag("link", attrs={**font, "href": f"{static}/fonts/literata-{style}.woff2"})
        )


STEPS: tuple[Callable[[Elements, Page], None], ...] = (
    drop_useless_scripts,
    choose_theme_early,
    link_basic_style,
    draw_icons,
    drop_empty_bar,
    name_buttons,
    drop_idle_scripts,
    name_folds,
    mend_landmarks,
    mend_prev_next,
    drop_print_contents,
    name_permalinks,
    mend_tables,
    keep_stops_with_formulas,
    widen_for_doors,
    let_code_scroll,
    size_images,
    drop_half_addresses,
    point_to_assets,
)


class FinishingTemplates(BuiltinTemplateLoader):
    """Sphinx's templates, with `finish` after every page."""

    def init(self, builder: Any, *arguments: Any, **named: Any) -> None:
        super().init(builder, *arguments, **named)
        self._builder = builder

    # The base class says that it returns nothing; Sphinx's own loader departs from it in the same way.
    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        html = super().render(template, context)
        if not template.endswith(".html") or "</html>" not in html:
            return html
        builder = self._builder
        pictures = {name: Path(builder.srcdir) / source for source, name in builder.images.items()}
        site = bool(builder.config.html_baseurl)
        return finish(html, Page(str(context.get("pagename", "")), Path(builder.outdir), site, pictures))


def use_finishing_templates(app: Sphinx, config: Any) -> None:
    """Ask Sphinx for our templates, for web pages only."""
    config.template_bridge = "page_finish.FinishingTemplates"


def sweep(app: Sphinx, error: Exception | None) -> None:
    """Delete from the output what no page asks for any more."""
    static = Path(app.outdir) / "_static"
    if error or app.builder.format != "html" or not static.is_dir():
        return
    for pattern in _DEAD_FILES:
        for path in static.glob(pattern):
            if path.is_file():
                path.unlink()
    for folder in sorted((path for path in static.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", use_finishing_templates)
    app.connect("build-finished", sweep)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
