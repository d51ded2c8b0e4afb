"""The build: side by side, cached by code, strict, and it never breaks the site that is there."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import TinyBook


def test_a_build_writes_pages_with_the_outputs_of_their_cells(tiny_book: TinyBook) -> None:
    done = tiny_book.build()

    assert done.returncode == 0, done.stderr
    assert "one says 42" in tiny_book.page("one")
    assert (tiny_book.html / "index.html").as_uri() in done.stdout


def test_of_a_progress_bar_the_page_keeps_what_stood_there_at_the_end(tiny_book: TinyBook) -> None:
    tiny_book.write_chapter(
        "one",
        """
        import sys, time
        for done in range(5):
            print(f"\\r{done} of 5", end="", flush=True)
            time.sleep(0.05)  # each is a message of its own
        print("\\r      \\rready")
        """,
    )

    done = tiny_book.build()

    assert done.returncode == 0, done.stderr
    assert "ready" in tiny_book.page("one")
    assert " of 5" not in re.sub(
        r'<div class="cell_input.*?</div>\s*</div>', "", tiny_book.page("one"), flags=re.DOTALL
    )


def test_chapters_run_at_the_same_time(tiny_book: TinyBook) -> None:
    code = "import time; a = time.time(); time.sleep(4); print([a, time.time()])"
    tiny_book.write_chapter("one", code)
    tiny_book.write_chapter("two", code + "  # other code, another place in the cache")
    tiny_book.set_toc("one", "two")

    done = tiny_book.build()

    assert done.returncode == 0, done.stderr
    spans = [
        json.loads(re.search(r"\[\d{10}\.\d+, \d{10}\.\d+\]", re.sub("<[^>]*>", "", tiny_book.page(slug)))[0])
        for slug in ("one", "two")
    ]
    assert max(start for start, _ in spans) < min(end for _, end in spans)
    assert "Executing 2 chapters" in done.stdout


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system ties no process to a core")
def test_the_chapters_with_most_code_begin_first(tiny_book: TinyBook) -> None:
    code = "open('runs.txt', 'a').write('{}\\n')"
    tiny_book.write_chapter("one", code.format("short") + "\nx = 1" * 5)
    tiny_book.write_chapter("two", code.format("long") + "\nx = 1" * 20)
    tiny_book.write_chapter("three", code.format("middling") + "\nx = 1" * 10, prose="Much prose. " * 50)
    (tiny_book.root / "book" / "definitions.py").write_text("y = 2\n" * 100)
    path = tiny_book.write_chapter("four", code.format("shortest"))
    path.write_text(path.read_text() + "\n```{code-cell} ipython3\n:load: definitions.py\n```\n")
    tiny_book.set_toc("four", "one", "two", "three")
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})  # on one core they run one after the other
    try:
        done = tiny_book.build()
    finally:
        os.sched_setaffinity(0, allowed)

    assert done.returncode == 0, done.stderr
    assert (tiny_book.root / "book" / "runs.txt").read_text().split() == [
        "long",
        "middling",
        "short",
        "shortest",
    ]


def test_a_prose_edit_executes_nothing_and_a_code_edit_only_its_chapter(tiny_book: TinyBook) -> None:
    # Each execution leaves a line in a file, so that nothing has to be believed from the log.
    code = "open('runs.txt', 'a').write('{}\\n')"
    tiny_book.write_chapter("one", code.format("one"))
    tiny_book.write_chapter("two", code.format("two"))
    tiny_book.set_toc("one", "two")
    runs = tiny_book.root / "book" / "runs.txt"
    assert tiny_book.build().returncode == 0
    assert sorted(runs.read_text().split()) == ["one", "two"]

    tiny_book.write_chapter("one", code.format("one"), prose="Other prose.")
    assert tiny_book.build().returncode == 0
    assert "Other prose." in tiny_book.page("one")
    assert sorted(runs.read_text().split()) == ["one", "two"]

    tiny_book.write_chapter("two", code.format("two-again"))
    assert tiny_book.build().returncode == 0
    assert sorted(runs.read_text().split()) == ["one", "two", "two-again"]


def test_a_build_with_nothing_to_do_does_nothing(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    before = {path: path.stat().st_mtime_ns for path in tiny_book.html.rglob("*")}

    done = tiny_book.build()

    assert done.returncode == 0
    assert done.stdout.startswith("Nothing has changed.")
    assert {path: path.stat().st_mtime_ns for path in tiny_book.html.rglob("*")} == before


def test_a_build_with_nothing_to_do_loads_neither_the_cache_nor_sphinx(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    python, *arguments = tiny_book.command

    done = subprocess.run(
        [python, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("Nothing has changed.")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "execute" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"jupyter_cache", "myst_nb", "sphinx"}


def test_a_failed_build_is_not_mistaken_for_a_finished_one(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    tiny_book.write_chapter("one", "1 / 0")

    assert [tiny_book.build().returncode for _ in range(2)] == [1, 1]


def test_a_changed_figure_style_executes_every_chapter_again(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    (tiny_book.root / "book" / "matplotlibrc").write_text("font.size: 12\n")

    done = tiny_book.build()

    assert "Executing 1 chapter" in done.stdout


def test_a_failing_cell_is_named_and_the_last_good_site_stays(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    good = tiny_book.page("one")
    path = tiny_book.write_chapter("one", "x = 1")
    path.write_text(path.read_text() + "\n```{code-cell} ipython3\nx / 0\n```\n")
    line = path.read_text().splitlines().index("x / 0") + 1

    done = tiny_book.build()

    assert done.returncode == 1
    assert f"book/one.md:{line}: code cell 2 failed: ZeroDivisionError: division by zero" in done.stderr
    assert "The site was not changed." in done.stderr
    assert "Traceback" not in done.stderr
    assert tiny_book.page("one") == good


def test_every_failing_chapter_is_named_at_once(tiny_book: TinyBook) -> None:
    tiny_book.write_chapter("one", "undefined_name")
    tiny_book.write_chapter("two", "[][5]")
    tiny_book.set_toc("one", "two")

    done = tiny_book.build()

    assert "book/one.md" in done.stderr
    assert "NameError" in done.stderr
    assert "book/two.md" in done.stderr
    assert "IndexError" in done.stderr


def test_a_warning_fails_the_build_and_goes_on_failing_until_it_is_mended(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    good = tiny_book.page("one")
    tiny_book.write_chapter("one", "1 + 1", prose="See [nowhere](nowhere.md).")

    for _ in range(2):
        done = tiny_book.build()
        assert done.returncode == 1
        assert "book/one.md" in done.stderr
        assert "nowhere" in done.stderr
        assert tiny_book.page("one") == good

    tiny_book.write_chapter("one", "1 + 1")
    assert tiny_book.build().returncode == 0


def test_a_page_that_the_contents_name_and_nobody_wrote_is_one_sentence(tiny_book: TinyBook) -> None:
    tiny_book.set_toc("one", "not-written-yet")

    done = tiny_book.build()

    assert done.returncode == 1
    assert "_toc.yml names book/not-written-yet, and there is no such file." in done.stderr
    assert "Traceback" not in done.stderr


def test_the_build_after_a_killed_one_works(tiny_book: TinyBook) -> None:
    tiny_book.write_chapter("one", "import time; time.sleep(30)")
    tiny_book.write_chapter("two", "print('two is quick')")
    tiny_book.set_toc("two", "one")
    building = tiny_book.start()
    assert building.stdout is not None
    for line in building.stdout:
        if "two  " in line:  # the quick chapter is done, the slow one runs
            break
    os.killpg(building.pid, signal.SIGKILL)
    building.communicate()

    tiny_book.write_chapter("one", "print('one says hello')")
    done = tiny_book.build()

    assert done.returncode == 0, done.stderr
    assert "Executing 1 chapter " in done.stdout
    assert "one says hello" in tiny_book.page("one")
    assert "two is quick" in tiny_book.page("two")


def test_ctrl_c_leaves_the_site_and_says_so(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    tiny_book.write_chapter("one", "import time; time.sleep(60)")
    building = tiny_book.start()
    assert building.stdout is not None
    assert building.stdout.readline().startswith("Executing 1 chapter")
    time.sleep(3)  # the cell is asleep by now
    os.killpg(building.pid, signal.SIGINT)
    _, told = building.communicate(timeout=30)

    assert building.returncode == 130
    assert "Interrupted. The site was not changed" in told
    assert "one says 42" in tiny_book.page("one")


def test_an_interrupted_swap_is_put_right(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0
    tiny_book.html.rename(tiny_book.html.with_name("html.old"))  # the moment between two renames
    tiny_book.write_chapter("one", "1 / 0")

    assert tiny_book.build().returncode == 1
    assert "one says 42" in tiny_book.page("one")


def test_two_builds_at_once_do_not_mix(tiny_book: TinyBook) -> None:
    (tiny_book.root / "_build").mkdir()
    with (tiny_book.root / "_build" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = tiny_book.build()

    assert done.returncode == 1
    assert "Another build is running" in done.stderr


def test_nothing_of_the_build_stays_in_the_chapters_folder(tiny_book: TinyBook) -> None:
    before = sorted(p.name for p in (tiny_book.root / "book").iterdir())

    assert tiny_book.build().returncode == 0

    assert sorted(p.name for p in (tiny_book.root / "book").iterdir()) == before


def test_the_root_of_another_machine_is_not_in_the_pages(tiny_book: TinyBook) -> None:
    assert tiny_book.build().returncode == 0

    for page in Path(tiny_book.html).rglob("*.html"):
        assert str(tiny_book.root) not in page.read_text(encoding="utf-8"), page
