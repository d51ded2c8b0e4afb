"""Execute chapters side by side, one process per core, into the cache that the build then reads.

A chapter's place in the cache is the hash of its code, so prose edits execute nothing.
What code alone does not show (the pinned packages, the figure style, data files) is hashed into
``made-with.txt`` beside the cache; when that changes the whole cache goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

CELL_SECONDS = 300  # same as execute.timeout in _config.yml
# Every numerical library's word for "threads": chapters that run side by side share the cores fairly.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Failure:
    """Where and why a chapter stopped."""

    chapter: Path
    line: int
    cell: int
    exception: str

    def sentence(self) -> str:
        return f"{self.chapter}:{self.line}: code cell {self.cell} failed: {self.exception}"


@dataclass(frozen=True)
class Executed:
    chapter: Path
    seconds: float


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def digest_of(paths: Iterable[Path]) -> str:
    """SHA-256 over names and bytes of files; folders count with all that they hold."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(path.parent)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def is_executed(chapter: Path) -> bool:
    """A Markdown file is a notebook when its front matter names jupytext."""
    if chapter.suffix != ".md":
        return False
    text = chapter.read_text(encoding="utf-8")
    return text.startswith("---") and "jupytext:" in text.split("\n---", 1)[0]


def open_cache(folder: Path, root: Path):  # type: ignore[no-untyped-def]  # jupyter-cache publishes no types
    """The cache in ``folder``, emptied when what chapters are made with has changed."""
    from jupyter_cache import get_cache

    made_with = folder.parent / "made-with.txt"
    now = digest_of([root / "requirements.txt", root / "book" / "matplotlibrc", root / "book" / "data"])
    before = made_with.read_text() if made_with.exists() else None
    if before != now:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        made_with.write_text(now)
    return get_cache(str(folder))


def execute_chapter(chapter: Path, cwd: Path, threads: int) -> tuple[object, float] | Failure:
    """Run one chapter's cells in a kernel of its own. Runs in a worker process."""
    from jupyter_client.kernelspec import NoSuchKernel
    from myst_nb.core.read import myst_nb_reader_plugin
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError
    from traitlets.config import Config

    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    notebook = myst_nb_reader_plugin(str(chapter))
    # Kernels talk over local ports, where anybody else on the machine could listen.
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        # Its last cell has run: a kernel that loaded PyTorch would still take a second to leave.
        shutdown_kernel="immediate",
        coalesce_streams=True,  # of a line that rewrites itself, a progress bar, keep what it said last
        record_timing=False,  # times would become part of the hash under which the cache files a notebook
        resources={"metadata": {"path": str(cwd)}},
        config=Config(KernelManager={"transport_encryption": "auto"}),
    )
    started = time.perf_counter()
    try:
        client.execute()
    except NoSuchKernel as error:
        return Failure(
            chapter, 1, 0, f"no Jupyter kernel is called {error.name!r} (kernelspec in its header)"
        )
    # nbclient says with a bare RuntimeError that a kernel did not start.
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
        return where_it_stopped(chapter, notebook, error)
    seconds = time.perf_counter() - started
    return notebook, seconds


def where_it_stopped(chapter: Path, notebook, error: Exception) -> Failure:  # type: ignore[no-untyped-def]
    """The first code cell with an error output, else the one after the last that ran."""
    lines = notebook.metadata.get("source_map", [])
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    stopped = len([1 for _, cell in code if cell.get("execution_count")])
    for number, (_, cell) in enumerate(code):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                stopped = number
                reason = f"{output.ename}: {ANSI_COLOUR.sub('', output.evalue)}"
                break
    stopped = min(stopped, len(code) - 1)
    index = code[stopped][0]
    line = lines[index] + 1 if index < len(lines) else 1
    return Failure(chapter, line, stopped + 1, reason)


class Progress:
    """One line that says what runs and what is left; on a terminal it rewrites itself."""

    def __init__(self, total: int, workers: int) -> None:
        self.total, self.done = total, 0
        self.live = sys.stderr.isatty()
        print(
            f"Executing {total} chapter{'s' * (total != 1)} on {workers} core{'s' * (workers != 1)}.",
            flush=True,
        )

    def show(self, running: Sequence[str]) -> None:
        if self.live and running:
            left = self.total - self.done - len(running)
            print(
                f"\r\x1b[K  running: {', '.join(running)}; {left} waiting",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def finished(self, name: str, outcome: str) -> None:
        self.done += 1
        if self.live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(f"  {self.done}/{self.total}  {name}  {outcome}", flush=True)


def execute_all(chapters: Sequence[Path], root: Path, cache_folder: Path) -> list[Executed | Failure]:
    """Execute the chapters whose code is not in the cache yet, those with most code first.

    What succeeds is cached at once.

    chapters      paths of MyST notebooks
    root          the repository; chapters run with ``root/book`` as working folder
    cache_folder  jupyter-cache's folder
    returns       one result for each chapter that had to run, in the order in which they ended
    """
    from jupyter_cache.base import CacheBundleIn
    from myst_nb.core.read import myst_nb_reader_plugin

    cache = open_cache(cache_folder, root)
    amount_of_code = {}
    for chapter in chapters:
        notebook = myst_nb_reader_plugin(str(chapter))
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            amount_of_code[chapter] = sum(
                len(cell.source)
                for cell in notebook.cells
                # Files that a cell loads are shared definitions and data, which take no time.
                if cell.cell_type == "code" and "load" not in cell.metadata
            )
    if not amount_of_code:
        return []
    # Much code tends to take long, and a long chapter that began last would leave the other cores idle.
    waiting = sorted(amount_of_code, key=lambda chapter: amount_of_code[chapter], reverse=True)
    workers = min(cores(), len(waiting))
    threads = max(1, cores() // workers)
    progress = Progress(len(waiting), workers)
    results: list[Executed | Failure] = []
    with ProcessPoolExecutor(workers) as pool:
        jobs: dict[Future[tuple[object, float] | Failure], Path] = {}
        try:
            while waiting or jobs:
                while waiting and len(jobs) < workers:
                    chapter = waiting.pop(0)
                    jobs[pool.submit(execute_chapter, chapter, root / "book", threads)] = chapter
                progress.show([path.stem for path in jobs.values()])
                for job in wait(jobs, return_when=FIRST_COMPLETED).done:
                    chapter = jobs.pop(job)
                    outcome = job.result()
                    if isinstance(outcome, Failure):
                        progress.finished(chapter.stem, "FAILED")
                        results.append(outcome)
                        continue
                    notebook, seconds = outcome
                    cache.cache_notebook_bundle(
                        CacheBundleIn(notebook, str(chapter), data={"execution_seconds": seconds}),
                        check_validity=False,
                        overwrite=True,
                    )
                    progress.finished(chapter.stem, f"{seconds:.1f} s")
                    results.append(Executed(chapter, seconds))
        except KeyboardInterrupt:
            with contextlib.suppress(Exception):
                pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results
