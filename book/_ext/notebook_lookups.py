"""What a page can ask of the rest of the book while its notebook is written.

Answers come from where the site has them too, so that a number, a figure's name and a source read the same on
the page and in the notebook.
"""

from __future__ import annotations

import base64
import json
import mimetypes
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from exercise_notebooks import read_exercise
from myst_nb.core.variables import format_plain_text
from notebook_text import Exercise, Missing
from pybtex.backends.markdown import Backend as MarkdownBackend
from pybtex.database import Entry
from pybtex.plugin import find_plugin, register_plugin
from site_address import SiteAddress
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class BookLookups:
    """What one page can ask of the whole book; see ``notebook_text.Lookups``."""

    app: Sphinx
    docname: str
    address: SiteAddress | None

    def glued(self, text: str) -> str:
        """Return a computed value as the site writes it."""
        name, _, form = text.rpartition(":") if ":" in text else (text, "", "s")
        plain = glue_of(self.app.env).get(self.docname, {}).get(name)
        if plain is None:
            raise Missing(f"nothing is glued under the name {name!r} on this page.")
        try:
            return str(format_plain_text(plain, form))
        except ValueError as error:
            raise Missing(f"{name!r} cannot be written as {form!r}: {error}.") from error

    def figure(self, label: str) -> str:
        """Return a figure's name, "Fig. 3", as the site numbers it."""
        env = self.app.env
        name = nodes.fully_normalize_name(label)
        docname, target, _ = env.domains["std"].data["labels"].get(name, ("", "", ""))
        if not docname:
            docname, target = env.domains["std"].data["anonlabels"].get(name, ("", ""))
        number = env.toc_fignumbers.get(docname, {}).get("figure", {}).get(target)
        if number is None:
            raise Missing(f"no figure is called {label!r}.")
        return str(env.config.numfig_format["figure"]) % ".".join(map(str, number))

    def citation(self, key: str) -> tuple[str, str]:
        """Return ("Szeliski", "2022") for a key of the bibliography."""
        entry = self._entry(key)
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        surnames = [" ".join([*person.prelast_names, *person.last_names]).strip("{}") for person in people]
        more = len(surnames) > 2 or surnames[1:] == ["others"]
        if not surnames:
            surnames = [str(entry.fields.get("organization") or entry.fields.get("title", key)).strip("{}")]
        authors = f"{surnames[0]} et al." if more else " and ".join(surnames)
        return authors, str(entry.fields.get("year", "n.d."))

    def reference(self, key: str) -> str:
        """Return a source's full reference, its DOI a link."""
        style = find_plugin("pybtex.style.formatting", self.app.config.bibtex_default_style)()
        formatted = style.format_entry(label="", entry=self._entry(key))
        return str(formatted.text.render(MarkdownBackend())).replace("\n", " ")

    def _entry(self, key: str) -> Entry:
        # Sphinx types every domain as its base class.
        entries = self.app.env.get_domain("cite").bibdata.data.entries  # type: ignore[attr-defined]
        if key not in entries:
            raise Missing(f"the bibliography has no entry {key!r}.")
        return entries[key]

    def page(self, target: str) -> str | None:
        """Return the published address of what a Markdown link points at, None where there is none."""
        env = self.app.env
        path, _, anchor = unquote(target).partition("#")
        docname = self.docname
        labels = env.domains["std"].data["anonlabels"]
        name = nodes.fully_normalize_name(anchor)
        if path:
            _, absolute = env.relfn2path(path, self.docname)
            found = env.path2doc(absolute)
            if found not in env.found_docs:
                raise Missing(f"{path} is not a page of this book.")
            docname = found
        elif name in labels:
            docname = labels[name][0]
        if self.address is None:
            return None
        return self.address.page(docname) + (f"#{self._identifier(docname, anchor)}" if anchor else "")

    def term(self, name: str) -> str | None:
        """Return the published address of a term's definition, None where the site has none."""
        objects = self.app.env.domains["std"].data["objects"]
        # The site finds a term whatever its capitals, and so does this.
        terms = {word.lower(): place for (kind, word), place in objects.items() if kind == "term"}
        if name.lower() not in terms:
            raise Missing(f"the glossary has no term {name!r}.")
        docname, anchor = terms[name.lower()]
        return f"{self.address.page(docname)}#{anchor}" if self.address else None

    def _identifier(self, docname: str, anchor: str) -> str:
        """Return the id in the page for the name of a target or the slug of a heading."""
        env = self.app.env
        labelled = env.domains["std"].data["anonlabels"].get(nodes.fully_normalize_name(anchor), ("", ""))
        if labelled[0] == docname:
            return str(labelled[1])
        slugs = env.metadata[docname].get("myst_slugs", {})
        return str(slugs[anchor][1]) if anchor in slugs else nodes.make_id(anchor)

    def image(self, path: str) -> str:
        """Return an image as a ``data:`` address: it then needs neither the site nor a network."""
        _, absolute = self.app.env.relfn2path(unquote(path), self.docname)
        try:
            content = Path(absolute).read_bytes()
        except OSError as error:
            raise Missing(f"the image {path} cannot be read.") from error
        kind = mimetypes.guess_type(absolute)[0] or "application/octet-stream"
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

    def exercise(self, slug: str) -> Exercise:
        """Return what the exercise's own notebook says about it."""
        found = read_exercise(Path(self.app.srcdir), slug)
        return Exercise(
            found.title,
            found.points,
            found.minutes,
            self.address.page(f"exercises/{slug}") if self.address else None,
            self.address.colab_exercise(slug) if self.address else None,
        )


def keep_plugins_at_hand() -> None:
    """Tell pybtex its installed styles: else it looks through every package for each source that is cited."""
    for kind in ("formatting", "names", "labels", "sorting"):
        group = f"pybtex.style.{kind}"
        for plugin in entry_points(group=group):
            register_plugin(group, plugin.name, plugin.load(), force=True)


def glue_of(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """Return page → name → printed value; kept with the environment, so that unchanged pages keep theirs."""
    # Extensions keep what is theirs as attributes of the environment, which its class does not name.
    if not hasattr(env, "notebook_glue"):
        env.notebook_glue = {}  # type: ignore[attr-defined]
    return env.notebook_glue  # type: ignore[attr-defined, no-any-return]


def keep_glue(app: Sphinx, _doctree: nodes.document) -> None:
    """Remember what a page that was just read has glued: MyST-NB leaves it beside the executed notebook."""
    # MyST-NB's own attribute of the environment.
    folder = Path(app.env.mystnb_config.output_folder)  # type: ignore[attr-defined]
    path = folder / f"{app.env.docname}.glue.json"
    glued = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    glue_of(app.env)[app.env.docname] = {
        name: output["data"]["text/plain"] for name, output in glued.items() if "text/plain" in output["data"]
    }


def forget_glue(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what a removed or changed page had glued."""
    glue_of(env).pop(docname, None)


def merge_glue(_app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """Take over what another process has read."""
    glue_of(env).update({name: glue_of(other)[name] for name in docnames if name in glue_of(other)})
