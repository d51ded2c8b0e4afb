"""The pages in HTML: what a student reads, and what the instructor does.

Everything that others wrote is escaped. A page stands alone: no script, no network, its style within it.
"""

import functools
import re
from collections import Counter
from collections.abc import Sequence

import jinja2

from autograder import tables, tallies
from autograder.files import shown
from autograder.gradebook import Filled
from autograder.results import Class, Result, State, Status
from autograder.roster import Compared

LONGEST = 3000  # letters of one message; an error's can be as long as its maker likes
# Words with which a check begins to speak.
BEGINNINGS = {"at", "each", "every", "for", "in", "of", "the", "there", "with", "your"}
LONG = 12  # a list of more lines folds
# What a status means for the student, and what to do. Nobody is blamed.
MEANS: dict[Status, tuple[str, str]] = {
    "graded": ("", ""),
    "timeout": (
        "Your notebook ran out of time and was stopped. What it had earned by then counts.",
        "Restart your notebook and run all of it: look at the cell that does not come to an end, or takes "
        "minutes.",
    ),
    "memory": (
        "Your notebook asked for more memory than there was, and was stopped. What it had earned by then "
        "counts.",
        "Look for an array or a list that grows in a loop, and try your functions on a small picture.",
    ),
    "crash": (
        "The Python that ran your notebook came down with it. What it had earned by then counts.",
        "Restart your notebook and run all of it: look at the cell after which the kernel dies.",
    ),
    "unreadable": (
        "Your file could not be read as a notebook, so nothing was run. That is not a score of zero.",
        "Open your notebook, save it, download it as .ipynb and hand in that file.",
    ),
    "wrong_exercise": (
        "You handed in the notebook of another exercise, so nothing was run. That is not a score of zero.",
        "Hand in the notebook of this exercise.",
    ),
    "ambiguous": (
        "More than one notebook came from you, and a program should not choose. That is not a score of zero.",
        "Tell your instructor which one counts, or hand in that one alone.",
    ),
    "refused": (
        "Your upload holds something that the grader does not open, so nothing was run. That is not a "
        "score of zero.",
        "Hand in the notebook alone, as .ipynb.",
    ),
    "infra_error": (
        "The grader itself failed. This has nothing to do with your work, and it is not a score of zero.",
        "There is nothing that you need to do: your instructor has been told and will grade it again.",
    ),
}
WORD: dict[State, str] = {
    "full": "all points",
    "part": "some points",
    "none": "no points yet",
    "pending": "waiting",
    "stopped": "was stopped",
}
PROTECTION = {
    "strict": "Strict: every notebook ran in a sandbox of its own, without network, your files or the hidden "
    "checks.",
    "user": "User: every notebook ran as another user of the machine, kept from your files and the hidden "
    "checks by their permissions, but in no sandbox.",
    "none": "None: notebooks ran as plain programs, and each could have read your files and the hidden "
    "checks. Grade again where bubblewrap works before these points count.",
}
AT_CPU_SCALE = "What asks for a GPU was tried at CPU scale, and earned its points there."


@functools.cache
def environment() -> jinja2.Environment:
    """Set up the templates: everything is escaped, and a name that is not there is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"shown": shown, "visible": visible, "number": tables.number, "chapter": chapter}
    made.filters |= {"names": names, "sentence": sentence}
    made.globals |= {"LONG": LONG, "WORD": WORD}
    return made


def visible(text: str) -> str:
    """Write out what cannot be seen, or would turn a line around; ends of lines stay."""
    cut = text if len(text) <= LONGEST else text[:LONGEST] + " …"
    return "\n".join("".join(map(shown, line)) for line in cut.expandtabs(4).splitlines())


def sentence(text: str) -> str:
    """Write what a check says as a sentence: in the notebook it goes on behind other words.

    A name of the notebook's stays as it is, and no full stop joins a line of code that is quoted at the end.
    """
    first = text.split(" ", 1)[0]
    ends = text.endswith((".", "!", "?", "…", "\n")) or re.search(r", in line [0-9]+ of .*: ", text)
    return (first.capitalize() if first in BEGINNINGS else first) + text[len(first) :] + ("" if ends else ".")


def chapter(slug: str) -> str:
    """Write a chapter's slug as words."""
    return slug.replace("-", " ")


def names(result: Result) -> str:
    """Name all students of a submission on one line; a name may hold a comma."""
    return "; ".join(shown(student.name) for student in result.students)


def feedback(result: Result, course: Class) -> bytes:
    """Make the page of one student or group: what each question earned, and what to do next."""
    template = environment().get_template("feedback.html")
    meaning, advice = MEANS[result.status]
    scale = AT_CPU_SCALE if course.gpu == "cpu-scale" else ""
    page = template.render(
        result=result,
        course=course,
        scored=tallies.was_run(result),
        meaning=meaning,
        advice=advice,
        scale=scale,
        rest=any(question.state != "full" for question in result.questions),
    )
    return page.encode("utf-8", "replace")


def summary(
    course: Class, results: Sequence[Result], compared: Compared | None, filled: Filled | None
) -> bytes:
    """Make the instructor's page."""
    scored = [result for result in results if tallies.was_run(result)]
    by_id = {result.id: result for result in results}
    others = sorted({result.isolation for result in results if result.isolation} - {course.isolation})
    page = (
        environment()
        .get_template("summary.html")
        .render(
            course=course,
            results=results,
            by_id=by_id,
            statuses=Counter(result.status for result in results),
            scored=scored,
            median=tallies.median(results),
            persons=[result for result in results if tallies.needs_person(result, by_id)],
            references=lambda note: tallies.references(note, by_id),
            notes=tallies.by_note(results, by_id),
            protection=PROTECTION.get(course.isolation, f"Not known ({shown(course.isolation)})."),
            other_protection=others,
            scale=AT_CPU_SCALE if course.gpu == "cpu-scale" else "",
            bars=tallies.bars(scored),
            difficulties=tallies.difficulties(course, results),
            mistakes=tallies.mistakes(results),
            only_open=tallies.only_open(course, results),
            pending=tallies.pending(course, results),
            compared=compared,
            filled=filled,
        )
    )
    return page.encode("utf-8", "replace")
