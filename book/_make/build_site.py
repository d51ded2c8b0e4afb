"""Build the site: execute what changed, build beside the last good site, then swap.

    .venv/bin/python book/_make/build_site.py [--root FOLDER]

Exit code 0: ``_build/html`` is the new site. 1: something is wrong and said;
the last good site stays in place.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from execute import ANSI_COLOUR, Failure, digest_of, execute_all, is_executed

REPOSITORY = Path(__file__).resolve().parents[2]
# What a page is made with besides its own text, and all that the site is made from.
PAGE_TOOLS = (
    *("_config.yml", "_toc.yml", "requirements.txt"),
    *("book/_ext", "book/_assets", "book/_snippets", "book/references.bib"),
)
SITE_SOURCES = ("_config.yml", "_toc.yml", "requirements.txt", "book", "exercises")
# Lines of the build's log that say what is wrong.
TELLING = re.compile(r"WARNING|ERROR|CRITICAL|Error:|Exception", re.IGNORECASE)


class BuildError(Exception):
    """What is wrong, where, what to do: one line each."""


def pages_in_toc(root: Path) -> list[Path]:
    """Files of ``_toc.yml`` in their order. Raises BuildError."""
    from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

    try:
        names = list(parse_toc_yaml(root / "_toc.yml"))
    except (OSError, MalformedError) as error:
        raise BuildError(f"{root / '_toc.yml'}: {error}") from error
    pages, missing = [], []
    for name in names:
        found = [path for suffix in ("", ".md", ".ipynb") if (path := root / f"{name}{suffix}").is_file()]
        pages += found[:1]
        missing += [] if found else [name]
    if missing:
        raise BuildError(
            f"_toc.yml names {', '.join(missing)}, and there is no such file. Write it or take the line out."
        )
    return pages


@contextlib.contextmanager
def one_build_at_a_time(build: Path) -> Iterator[None]:
    build.mkdir(exist_ok=True)
    with (build / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildError(
                f"Another build is running in {build}. Wait for it to end, then try again."
            ) from None
        yield


def settle_last_swap(build: Path) -> None:
    """Mend what an interruption between the two renames of a swap leaves behind."""
    html, old, new = build / "html", build / "html.old", build / "html.new"
    if old.exists() and not html.exists():
        old.rename(html)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(new, ignore_errors=True)


def swap_in(work_html: Path, build: Path) -> None:
    """Put a copy of ``work_html`` where readers look, in two renames."""
    html, old, new = build / "html", build / "html.old", build / "html.new"
    shutil.copytree(work_html, new, ignore=shutil.ignore_patterns(".buildinfo*", "_sources"))
    if html.exists():
        html.rename(old)
    new.rename(html)
    shutil.rmtree(old, ignore_errors=True)


def run_jupyter_book(root: Path, work: Path) -> None:
    """Sphinx, strictly: every warning is an error. Raises BuildError with the lines that matter."""
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(root)]
    command += ["--path-output", str(work), "-W", "-n", "--keep-going", "-q"]
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", NO_COLOR="1")
    done = subprocess.run(
        command, cwd=root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    log = ANSI_COLOUR.sub("", done.stdout)
    (work / "log.txt").write_text(log, encoding="utf-8")
    # Sphinx can end with 0 although keep-going met warnings while it finished: read the log as well.
    warnings = [line for line in log.splitlines() if ": WARNING:" in line or line.startswith("WARNING:")]
    if done.returncode or warnings:
        told = (
            warnings or [line for line in log.splitlines() if TELLING.search(line)] or log.splitlines()[-5:]
        )
        short = [line.replace(f"{root}/", "") for line in dict.fromkeys(told)]
        raise BuildError("\n".join([*short[:40], f"The whole log is in {work / 'log.txt'}."]))


def made_from(root: Path, names: Iterable[str]) -> str:
    """Changes whenever one of these files or folders does, or the address of the site."""
    return digest_of(root / name for name in names) + os.environ.get("GITHUB_REPOSITORY", "")


def build_pages(root: Path, work: Path, pages: list[Path]) -> Path:
    """Have Sphinx write the pages that need it. Returns the folder of all pages. Raises BuildError.

    Sphinx rereads pages whose text changed, but does not see a changed extension or stylesheet; and a page
    that warned in a failed build would pass unread in the next one. Both begin from nothing.
    """
    output = work / "_build" / "html"
    remembered = work / "pages-made-with.txt"
    tools = made_from(root, PAGE_TOOLS)
    if not remembered.exists() or remembered.read_text() != tools:
        shutil.rmtree(output, ignore_errors=True)
        shutil.rmtree(work / "_build" / ".doctrees", ignore_errors=True)
    remembered.unlink(missing_ok=True)
    print(f"Building {len(pages)} pages.", flush=True)
    run_jupyter_book(root, work)
    remembered.write_text(tools)
    names = [page.relative_to(root) for page in pages]
    absent = [str(name) for name in names if not (output / name.with_suffix(".html")).is_file()]
    if absent:
        raise BuildError(f"The build ended without an error, but wrote no page for {', '.join(absent)}.")
    return output


def build_site(root: Path) -> Path:
    """Build ``root`` and swap the result in. Returns its front page. Raises BuildError."""
    started = time.perf_counter()
    build = root / "_build"
    with one_build_at_a_time(build):
        settle_last_swap(build)
        front = build / "html" / "index.html"
        remembered = build / "html-made-from.txt"
        sources = made_from(root, SITE_SOURCES)
        if front.is_file() and remembered.exists() and remembered.read_text() == sources:
            print(f"Nothing has changed. The site: {front.as_uri()}", flush=True)
            return front
        pages = pages_in_toc(root)
        work = build / "work"
        work.mkdir(exist_ok=True)
        chapters = [page for page in pages if is_executed(page)]
        results = execute_all(chapters, root, work / "_build" / ".jupyter_cache")
        failures = [result for result in results if isinstance(result, Failure)]
        if failures:
            raise BuildError("\n".join(failure.sentence().replace(f"{root}/", "") for failure in failures))
        output = build_pages(root, work, pages)
        remembered.unlink(missing_ok=True)
        swap_in(output, build)
        remembered.write_text(sources)
    print(f"Done in {time.perf_counter() - started:.1f} s. The site: {front.as_uri()}", flush=True)
    return front


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the site into _build/html.")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="the repository (default: this one)")
    root = parser.parse_args().root.resolve()
    try:
        build_site(root)
    except BuildError as error:
        print(f"\n{error}\nThe site was not changed.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The site was not changed; the next build goes on from here.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"\n{error.strerror or error}: {error.filename}. The site was not changed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
