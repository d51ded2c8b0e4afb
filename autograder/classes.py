"""Grades the work of a class from a folder of uploads to reports, in one go."""

import datetime
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autograder import assemble, batch, build, bundles, gradebook, report, results, roster, submissions, whole
from autograder.batch import Options, Stop, Tally
from autograder.bundles import Exercise
from autograder.errors import Misuse
from autograder.isolation import Device, Isolation
from autograder.results import Asked, Class
from autograder.sandbox import Limits
from autograder.settings import Settings

MEGABYTE = 2**20
MEMORY: Mapping[Device, int] = {"cpu": 2048, "cuda": 8192}  # MB


@dataclass(frozen=True)
class Wishes:
    """What an instructor asks for; None where the default is to be taken.

    folder   the uploads: a folder, a zip, a file
    out      where everything is written
    timeout  seconds for one notebook
    memory   MB for one notebook
    column   of the gradebook: the one to fill in; by default that of an earlier run, if its gradebook stays
    """

    slug: str
    folder: Path
    out: Path
    jobs: int | None = None
    timeout: float | None = None
    memory: int | None = None
    roster: Path | None = None
    gradebook: Path | None = None
    column: str = ""
    device: Device = "cpu"
    isolation: Isolation = "strict"


@dataclass(frozen=True)
class Graded:
    """What came of it."""

    tally: Tally
    summary: report.Summary


def grade(settings: Settings, wishes: Wishes, progress: Callable[[Tally], None]) -> Graded:
    """Grade a class. Raises Misuse, before anything is written, where something is not as it must be."""
    jobs = _jobs(wishes)
    # Of a link that leads to itself, realpath makes a path, and resolve an error of its own.
    out, folder = (Path(os.path.realpath(path)) for path in (wishes.out, wishes.folder))
    if out == folder or folder in out.parents:
        raise Misuse(
            f"{wishes.out} lies in {wishes.folder}: results would be taken for uploads. Choose another."
        )
    content = bundle_of(settings, wishes.slug)
    exercise = bundles.load(content, f"dist/{wishes.slug}.zip")
    about = Class(
        exercise=exercise.slug,
        title=exercise.title,
        chapter=exercise.chapter,
        points=exercise.points,
        questions=tuple(Asked(task.name, task.title, task.points) for task in exercise.tasks),
        isolation=wishes.isolation,
        device=wishes.device,
        gpu=settings.gpu,
        finished="",
        column=wishes.column or _kept_column(wishes, out),
    )
    _same_class(out, exercise)
    inputs = {}
    if wishes.roster:
        inputs["roster.csv"] = _read(wishes.roster)
        roster.read(inputs["roster.csv"], str(wishes.roster))
    if wishes.gradebook:
        inputs["gradebook.csv"] = _read(wishes.gradebook)
        gradebook.check(inputs["gradebook.csv"], about)
    elif (kept := out / "inputs" / "gradebook.csv").is_file():
        gradebook.check(kept.read_bytes(), about)
    elif wishes.column:
        raise Misuse("--column names a column of a gradebook: pass that too, with --gradebook.")
    uploads = submissions.find(wishes.folder)
    with batch.alone(out):
        _same_class(out, exercise)
        results.write(out / "class.json", about)
        for name, copied in inputs.items():  # one that is not passed again stays
            whole.replace(out / "inputs" / name, copied)
        options = Options(
            bundle=content,
            functions=functions_of_all(settings.root),
            isolation=wishes.isolation,
            device=wishes.device,
            seconds=wishes.timeout or exercise.seconds,
            limits=Limits(memory=(wishes.memory or MEMORY[wishes.device]) * MEGABYTE),
        )
        with Stop() as stop:
            tally = batch.run(uploads, out, options, jobs=jobs, stop=stop, progress=progress)
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        results.write(out / "class.json", replace(about, finished=now))
        return Graded(tally, report.write(out))


def reports(out: Path) -> report.Summary:
    """Make the reports of a graded class again. Raises Misuse if there is none."""
    with batch.alone(_there(out)):
        return report.write(out)


def bundle_of(settings: Settings, slug: str) -> bytes:
    """Read the bundle of an exercise. Raises Misuse if it is absent or not what its master makes now."""
    build.choose(settings.root, [slug])
    path = settings.root / "dist" / f"{slug}.zip"
    if not path.is_file():
        raise Misuse(f"dist/{slug}.zip is not there yet. Make it: autograder build {slug}")
    content = path.read_bytes()
    (master,) = build.read_masters(settings.root, [slug])
    exercise = bundles.load(content, f"dist/{slug}.zip")
    if not assemble.is_from(
        master, {task.name: task.test for task in exercise.tasks}, build.templates(), settings
    ):
        raise Misuse(
            f"dist/{slug}.zip is not what solutions/{slug}.md makes with the seed and the settings that are "
            f"set now. Make it again: autograder build {slug}"
        )
    return content


def functions_of_all(root: Path) -> dict[str, list[str]]:
    """Return, for every exercise that is built, the functions that it asks for: so the wrong one is named."""
    found = {}
    for path in sorted((root / "dist").glob("*.zip")):
        try:
            exercise = bundles.load(path.read_bytes(), path.name)
        except Misuse:
            continue  # not the one to be graded, and an old one
        found[exercise.slug] = [name for task in exercise.tasks for name in task.functions]
    return found


def _same_class(out: Path, exercise: Exercise) -> None:
    """Raise Misuse if a folder holds the results of another exercise."""
    place = out / "class.json"
    if place.is_file():
        found = results.read(place, Class)
        if found.exercise != exercise.slug:
            raise Misuse(
                f"{out} holds the results of {found.exercise}. Name another folder for {exercise.slug}."
            )


def _kept_column(wishes: Wishes, out: Path) -> str:
    """Return the column of a gradebook that was passed to an earlier run, and stays with it."""
    place = out / "class.json"
    return results.read(place, Class).column if place.is_file() and not wishes.gradebook else ""


def _there(out: Path) -> Path:
    """Return a folder of results. Raises Misuse if it is none."""
    if not (out / "class.json").is_file():
        raise Misuse(
            f"{out}: no class was graded into it. Name the folder that autograder grade got as --out."
        )
    return out


def _jobs(wishes: Wishes) -> int:
    """Return how many submissions run side by side. A GPU is looked at from outside: one at a time."""
    if wishes.device == "cuda":
        if wishes.jobs not in (None, 1):
            raise Misuse("On a GPU submissions run one after the other: leave --jobs out.")
        if not any(Path("/dev").glob("nvidia[0-9]*")):
            raise Misuse(
                "There is no NVIDIA GPU to be seen on this machine (/dev/nvidia0). Leave --device out: "
                "questions that need one then wait."
            )
        return 1
    return wishes.jobs or os.cpu_count() or 1


def _read(path: Path) -> bytes:
    """Read a file that an instructor names."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misuse(f"{path}: {error.strerror}. Pass a CSV file.") from None
