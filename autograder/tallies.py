"""What a class did, counted from its results: scores, questions, mistakes, and who needs a person."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.results import SCORED, Asked, Class, QuestionResult, Result


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram."""

    label: str
    count: int


@dataclass(frozen=True)
class Difficulty:
    """How a class did in one question: how many got all, some or no points, or wait."""

    asked: Asked
    full: int
    part: int
    none: int
    waiting: int
    share: float | None  # of the points, on average

    @property
    def tried(self) -> int:
        """How many were judged."""
        return self.full + self.part + self.none


@dataclass(frozen=True)
class Named:
    """A known mistake, and who made it."""

    question: str
    mistake: str
    sentence: str
    of: int
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Group:
    """Results that have something in common: one sentence, and who."""

    what: str
    results: tuple[Result, ...]


def was_run(result: Result) -> bool:
    """Whether there is a score; where nothing was run there is none, and that is not zero."""
    return result.status in SCORED and result.score is not None


def median(results: Sequence[Result]) -> float | None:
    """Return the median of the scores, of those that were run."""
    scores = [result.score for result in results if result.score is not None and was_run(result)]
    return statistics.median(scores) if scores else None


def needs_person(result: Result, by_id: Mapping[str, Result]) -> bool:
    """Whether a person should look: it is not graded, or a note on it names another submission."""
    return result.status != "graded" or any(
        other is not None and other is not result
        for note in result.notes
        for _, other in references(note, by_id)
    )


def references(note: str, by_id: Mapping[str, Result]) -> list[tuple[str, Result | None]]:
    """Cut a note where it names other submissions by their ids, so that the page can name the students."""
    pieces = re.split(r"\b([0-9a-f]{12})\b", note)
    return [(piece, by_id.get(piece)) for piece in pieces if piece]


def bars(scored: Sequence[Result]) -> list[Bar]:
    """Count the scores by tenths of what could be earned; all of it is a bar of its own."""
    counts = Counter(
        10 if result.score >= result.points - 1e-9 else max(0, int(10 * result.score / result.points + 1e-9))
        for result in scored
        if result.score is not None and result.points > 0
    )
    labels = [f"{10 * tenth} to {10 * tenth + 9} %" for tenth in range(10)] + ["100 %"]
    return [Bar(label, counts[place]) for place, label in enumerate(labels)]


def difficulties(course: Class, results: Sequence[Result]) -> list[Difficulty]:
    """Say how each question went, the hardest first."""
    by_name: dict[str, list[QuestionResult]] = defaultdict(list)
    for result in results:
        for question in result.questions:
            by_name[question.name].append(question)
    found = []
    for asked in course.questions:
        answers = by_name[asked.name]
        judged = [answer for answer in answers if answer.state != "pending"]
        full = sum(answer.state == "full" for answer in judged)
        part = sum(answer.state != "full" and answer.earned > 0 for answer in judged)
        earned = sum(answer.earned for answer in judged)
        possible = sum(answer.points for answer in judged)
        share = earned / possible if possible else None
        rest = len(judged) - full - part
        found.append(Difficulty(asked, full, part, rest, len(answers) - len(judged), share))
    return sorted(found, key=lambda each: 2.0 if each.share is None else each.share)


def mistakes(results: Sequence[Result]) -> list[Named]:
    """Count the mistakes that were recognised, the most common first."""
    found: dict[tuple[str, str], list[tuple[Result, str]]] = defaultdict(list)
    asked: Counter[str] = Counter()
    for result in results:
        for question in result.questions:
            asked[question.name] += question.state != "pending"
            if question.mistake:
                found[question.name, question.mistake].append((result, question.sentence))
    listed = [
        Named(name, mistake, made[0][1], asked[name], tuple(result for result, _ in made))
        for (name, mistake), made in found.items()
    ]
    return sorted(listed, key=lambda each: (-len(each.results), each.question, each.mistake))


def only_open(course: Class, results: Sequence[Result]) -> list[Group]:
    """List, for each question, who passes all open checks and fails a hidden one."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        for question in result.questions:
            open_passed = question.open[1] > 0 and question.open[0] == question.open[1]
            if open_passed and question.hidden[0] < question.hidden[1] and question.state != "pending":
                found[question.name].append(result)
    return [
        Group(f"{asked.name}, {asked.title}", tuple(found[asked.name]))
        for asked in course.questions
        if found[asked.name]
    ]


def pending(course: Class, results: Sequence[Result]) -> list[Group]:
    """List, for each question that waits, who waits."""
    groups = [
        Group(
            f"{asked.name}, {asked.title}",
            tuple(result for result in results if asked.name in result.pending),
        )
        for asked in course.questions
    ]
    return [group for group in groups if group.results]


def by_note(results: Sequence[Result], by_id: Mapping[str, Result]) -> list[Group]:
    """List the notes on submissions that need nobody, each once."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        for note in result.notes if not needs_person(result, by_id) else ():
            found[note].append(result)
    return [Group(note, tuple(noted)) for note, noted in sorted(found.items())]
