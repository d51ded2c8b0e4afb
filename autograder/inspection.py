"""Proves that what is committed and built is in step, complete, and gives nothing away."""

import html
import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder import assemble, build, judge, trials
from autograder.assemble import Product
from autograder.errors import Problem
from autograder.parts import Master
from autograder.settings import Settings
from autograder.trials import Outcome

# A line must be this long to count as given away: shorter ones, such as "return result", are anybody's.
TELLING = 16
# On pages other than the exercise's own, a line of a hidden check must be longer still to be no coincidence.
UNMISTAKABLE = 40
MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN HELPERS", "SEED = ")


@dataclass(frozen=True)
class Finding:
    """What the inspection of one exercise found."""

    slug: str
    points: float
    possible: float
    solution: float
    untouched: float
    on_gpu: tuple[str, ...]  # questions that want a GPU; tried at CPU scale where there is none
    known: Outcome
    problems: tuple[Problem, ...]


def inspect(master: Master, settings: Settings, *, quick: bool = False) -> Finding:
    """Rebuild one exercise and compare it with what is there; then, if not quick, try every known answer."""
    built = build.build(master, settings)
    product = built.product
    bundle = trials.bundle_to_try(master, built, settings, settings.seed)
    solution = judge.judge(bundle, built.solved)
    untouched = judge.judge(bundle, judge.functions_of(product.student))
    source = f"solutions/{master.slug}.md"
    problems = [*out_of_step(product, settings.root), *leaks(master, product, settings.root)]
    if solution.possible != master.points:
        sentence = f"the bundle is worth {solution.possible:g} points, the master promises {master.points:g}."
        problems.append(Problem(source, None, sentence))
    for question in master.questions:
        for check, result in zip(question.checks, solution.checks.get(question.name, ()), strict=False):
            if not result.passed:
                problems.append(
                    Problem(
                        source,
                        check.line,
                        f"the solution fails {check.name} of {question.name}: {result.message}.",
                    )
                )
        earned = untouched.of(question.name) if question.name in untouched.checks else 0
        if earned:
            sentence = (
                f"the untouched notebook earns {earned:g} points in {question.name}. Tighten its checks."
            )
            problems.append(Problem(source, question.line, sentence))
    known = Outcome((), ()) if quick else trials.try_answers(master, built, settings)
    problems += [Problem(source, line, sentence) for line, sentence in known.problems]
    return Finding(
        slug=master.slug,
        points=master.points,
        possible=solution.possible,
        solution=solution.earned,
        untouched=untouched.earned,
        on_gpu=tuple(
            question.name
            for question in master.questions
            if any(re.search(r"\bGPU\b", check.source) for check in question.checks if check.hidden)
        ),
        known=known,
        problems=tuple(problems),
    )


def out_of_step(product: Product, root: Path) -> Iterator[Problem]:
    """Compare what is there with what the master makes, byte by byte."""
    for path, content in build.places(product, root).items():
        shown = path.relative_to(root).as_posix()
        if not path.is_file():
            if path.parent.name == "exercises":  # dist is not committed, so it may be absent
                yield Problem(shown, None, f"missing. Run: autograder build {product.slug}")
        elif path.read_bytes() != content:
            # Whoever built with a private seed must not be told to build over it with the public one.
            seed = " with the seed set now (AUTOGRADER_SEED)" if path.suffix == ".zip" else ""
            sentence = (
                f"not what solutions/{product.slug}.md makes{seed}. Run: autograder build {product.slug}"
            )
            yield Problem(shown, None, sentence)


def orphans(root: Path) -> list[Problem]:
    """Find built files whose master is gone."""
    known = set(build.known_slugs(root))
    problems = []
    for path in sorted([*(root / "exercises").glob("*.ipynb"), *(root / "dist").glob("*")]):
        slug = path.stem.removesuffix("_solved")
        if path.suffix in (".ipynb", ".zip") and slug not in known:
            shown = path.relative_to(root).as_posix()
            problems.append(
                Problem(
                    shown, None, f"there is no solutions/{slug}.md for it. Remove it, or restore the master."
                )
            )
    return problems


def leaks(master: Master, product: Product, root: Path) -> Iterator[Problem]:
    """Find lines of the solution or of a hidden check where students can read them."""
    solution, hidden = secret_lines(master)
    committed = root / "exercises" / f"{master.slug}.ipynb"
    for content in {product.student, committed.read_bytes() if committed.is_file() else product.student}:
        shown = f"exercises/{master.slug}.ipynb"
        yield from _leaks_in(notebook_text(content), shown, solution | hidden, MARKS)
    site = root / "_build" / "html"
    for path in sorted(site.rglob("*")) if site.is_dir() else ():
        if path.suffix not in (".html", ".ipynb", ".txt", ".md", ".js", ".json", ".py"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".ipynb":
            text = notebook_text(text.encode())
        elif path.suffix == ".html":
            text = html.unescape(re.sub(r"<[^>]+>", "", text))
        # A chapter may well teach the lines that solve an exercise, even under the same name; the exercise's
        # own page and notebook may not show them.
        own = path.stem == master.slug and path.parent.name == "exercises"
        shown = path.relative_to(root).as_posix()
        elsewhere = {line for line in hidden if len(line) >= UNMISTAKABLE}
        yield from _leaks_in(text, shown, solution | hidden if own else elsewhere, MARKS if own else ())


def _leaks_in(text: str, shown: str, secrets: set[str], marks: tuple[str, ...]) -> Iterator[Problem]:
    lines = {_squeezed(line) for line in text.splitlines()}
    found = sorted(lines & secrets) + [mark for mark in marks if mark in text]
    if found:
        sentence = (
            f'"{found[0]}" belongs to the solution or to a hidden check. Build again before you publish.'
        )
        yield Problem(shown, None, sentence)


def notebook_text(content: bytes) -> str:
    """Everything in a notebook that can be read, the packed checks included."""
    try:
        cells = json.loads(content)["cells"]
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")
    sources = ["".join(cell.get("source", ())) for cell in cells]
    packed = [json.loads(assemble.unpack_checks(source) or "{}") for source in sources]
    files = [question["file"] for content in packed for question in content.get("questions", {}).values()]
    outputs = [json.dumps(cell.get("outputs", "")) for cell in cells]
    return "\n".join([*sources, *files, *outputs])


def secret_lines(master: Master) -> tuple[set[str], set[str]]:
    """Return the telling lines of solution and answers, and of hidden checks: what no public part has."""
    solution: list[str] = []
    prompts: list[str] = []
    for text in vars(build.templates()).values():
        prompts += text.split("\n")
    for cell in master.cells:
        if cell.role == "answer":
            inside = False
            for line in cell.source.split("\n"):
                mark = line.strip()
                if mark.startswith("# BEGIN SOLUTION") or mark == "# END SOLUTION":
                    inside = mark != "# END SOLUTION"
                else:
                    (solution if inside else prompts).append(line)
        elif cell.role in ("text", "code", "helper"):
            prompts += cell.source.split("\n")
    hidden = master.helpers("hidden helper").split("\n")
    for question in master.questions:
        for answer in question.answers:
            solution += answer.source.split("\n")
        for check in question.checks:
            (hidden if check.hidden else prompts).extend(check.source.split("\n"))
    public = _telling(prompts)
    return _telling(solution) - public, _telling(hidden) - public


def _telling(lines: list[str]) -> set[str]:
    return {squeezed for line in lines if len(squeezed := _squeezed(line)) >= TELLING}


def _squeezed(line: str) -> str:
    """A line of code without its spaces and with one kind of quotes, so that reformatting hides nothing."""
    line = line.strip()
    if line.startswith(("#", "import ", "from ")):
        return ""
    try:
        tokens = tokenize.generate_tokens(io.StringIO(line).readline)
        line = "".join(token.string for token in tokens if token.type != tokenize.COMMENT)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        pass
    return re.sub(r"\s+", "", line).replace('"', "'")
