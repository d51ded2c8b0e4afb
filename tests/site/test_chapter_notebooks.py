"""The notebooks of the real chapters: clean, whole, and able to run alone with what Colab has."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.colab import Ran

from .pages import CHAPTERS

# What Colab has installed already, of all that a chapter may want.
COLAB_HAS = {
    "IPython", "cv2", "datasets",
    "matplotlib", "numpy", "scipy", "skimage", "sklearn", "torch", "torchvision", "tqdm",
}  # fmt: skip
SLUGS = [name.removeprefix("book/") for name in CHAPTERS]


def notebook(site: Path, slug: str) -> nbformat.NotebookNode:
    return nbformat.read(site / "notebooks" / f"{slug}.ipynb", as_version=4)


def markdown(site: Path, slug: str) -> str:
    cells = notebook(site, slug).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_every_chapter_has_a_notebook_and_nothing_else_has(site: Path) -> None:
    assert sorted(path.stem for path in (site / "notebooks").glob("*")) == sorted(SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_chapters_notebook_is_valid_and_holds_no_syntax_of_ours(site: Path, slug: str) -> None:
    nbformat.validate(notebook(site, slug))
    ours = r"(?<!`)\{[a-z][\w:.-]*\}`|^[`:]{3,}\{.*|^\([\w-]+\)=|^% .*"

    assert re.findall(ours, markdown(site, slug), re.MULTILINE) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_a_chapters_notebook_describes_every_figure_of_its_page(site: Path, slug: str) -> None:
    page = (site / "book" / f"{slug}.html").read_text(encoding="utf-8")
    numbered = page.count('class="caption-number"')

    assert numbered
    assert markdown(site, slug).count("*Picture description:*") == numbered


@pytest.mark.parametrize("slug", SLUGS)
def test_a_chapters_notebook_has_no_link_that_leads_nowhere(site: Path, slug: str) -> None:
    targets = re.findall(r"\]\(([^)\s]*)", markdown(site, slug))

    assert [target for target in targets if not re.match(r"https?://|mailto:|data:", target)] == []


class _MeantToWork(ast.NodeTransformer):
    """Leaves out what stands under ``with breaks():``, where an import fails on purpose."""

    def visit_With(self, node: ast.With) -> ast.AST:  # the name that ast asks for
        on_purpose = ast.unparse(node.items[0].context_expr) == "breaks()"
        return ast.Pass() if on_purpose else self.generic_visit(node)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_chapters_notebook_imports_only_what_colab_has(site: Path, slug: str) -> None:
    imported = set()
    for cell in notebook(site, slug).cells:
        if cell.cell_type == "code":
            for node in ast.walk(_MeantToWork().visit(ast.parse(cell.source))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(str(node.module).partition(".")[0])

    assert imported - set(sys.stdlib_module_names) <= COLAB_HAS


@pytest.mark.parametrize("slug", SLUGS)
def test_a_chapters_notebook_runs_alone_on_older_packages_like_colabs(
    site: Path, address: str, slug: str, colab_python: Path, run_alone: Callable[..., Ran]
) -> None:
    notebook = (site / "notebooks" / f"{slug}.ipynb").read_bytes()
    # Whether it runs is asked here. A chapter that trains for a minute has a switch for fewer pictures.
    notebook = notebook.replace(b"PICTURES = None", b"PICTURES = 640")
    ran = run_alone(colab_python, notebook, environment={"COURSE_SITE": address})

    cells = [cell for cell in ran.notebook["cells"] if cell["cell_type"] == "code"]
    pictures = [
        output for cell in cells for output in cell["outputs"] if "image/png" in output.get("data", {})
    ]
    assert ran.errors() == []
    assert len(pictures) >= sum("plt.show()" in "".join(cell["source"]) for cell in cells)
