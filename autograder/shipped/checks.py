"""What every check file begins with: call a student's function, look at its answer, say what is wrong.

``autograder build`` writes this text at the head of each of Otter's test files (the student's machine has no
package of ours), so it may import nothing but NumPy and the standard library.
"""

import ast
import inspect
import linecache
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np

EXACT = 1e-6  # of the largest expected value: float64 errs by about 1e-15 per product
LOOSE = 1e-4  # of the largest expected value: float32 and the FFT are right ways too, and err by about 1e-6

# Where hints look: a list that each call is added to instead of raising. None while answers are graded.
OBSERVED: "list[Trial] | None" = None


class Trial:
    """One call of a student's function: the sentence about it, empty if it is right, and what came of it.

    outcome   "right", or a list to store and compare, such as ["raises", "IndexError"]; of an array
              ["array", shape, three weighted sums, how far they may be off, how telling it is]
    found, expected   float arrays of one shape where there is something to compare with the eye, or None
    """

    def __init__(self, name: str, case: str) -> None:
        """Begin with an answer that is right."""
        self.name, self.case = name, case
        self.outcome: Any = "right"
        self.sentence = ""
        self.found: np.ndarray | None = None
        self.expected: np.ndarray | None = None

    def wrong(self, outcome: Any, sentence: str) -> "Trial":
        """Note what is wrong."""
        self.outcome = outcome
        self.sentence = f"{sentence} ({self.case})" if self.case else sentence
        return self


class Failure(AssertionError):
    """What went wrong with one call, before it is known what was asked of it."""

    def __init__(self, outcome: Any, sentence: str) -> None:
        """Keep the outcome beside the sentence."""
        super().__init__(sentence)
        self.outcome = outcome


def settle(trial: Trial) -> None:
    """Fail the check if the trial went wrong, or only take note of it while hints are looked for."""
    if OBSERVED is not None:
        OBSERVED.append(trial)
    elif trial.sentence:
        raise AssertionError(trial.sentence)


def demand(condition: Any, sentence: str, kind: str = "") -> None:
    """Fail with a sentence of the exercise's own unless the condition holds.

    kind  names the mistake where the sentence carries numbers that differ from answer to answer
    """
    trial = Trial("", "")
    settle(trial if condition else trial.wrong(["said", kind or sentence], sentence))


def ordinal(position: int) -> str:
    """Count arguments as people do."""
    return ("first", "second", "third", "fourth", "fifth")[position]


def snapshot(value: Any) -> Any:
    """Everything about an argument that a function could change."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return [(key, snapshot(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [snapshot(item) for item in value]
    return repr(value)


def has_read_only(value: Any) -> bool:
    """Whether an argument is, or holds, an array that must not be written to."""
    if isinstance(value, dict | list | tuple):
        return any(map(has_read_only, value.values() if isinstance(value, dict) else value))
    return isinstance(value, np.ndarray) and not value.flags.writeable


def story_of(error: BaseException, env: Mapping[str, Any]) -> str:
    """Tell an exception in one line: what it said, and the deepest line of the student's own it came from."""
    said = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
    if len(said) > 200:
        said = f"{said[:200]}…"
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        said += " (is it spelt right, and has the cell that makes it been run?)"
    place = ""
    functions: dict[str, str] = {}  # file of a cell -> the first of its functions that was running
    for file, function, line, text in frames_of(error, env):
        functions.setdefault(file, function)
        cell = "its cell" if file == next(iter(functions)) else f"the cell of {functions[file]}"
        place = f", in line {line} of {cell}" + (f": {text}" if text else "")
    return said + place


def frames_of(error: BaseException, env: Mapping[str, Any]) -> list[Any]:
    """The notebook's own lines that an error came through: file, function, number of the line, its text."""
    elsewhere = getattr(error, "notebook_frames", None)
    if elsewhere is not None:  # where it happened in another process
        return list(elsewhere)
    frames = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_frame.f_globals is env:
            text = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            frames.append([code.co_filename, code.co_name, trace.tb_lineno, text])
        trace = trace.tb_next
    return frames


def function_of(env: Mapping[str, Any], name: str) -> Callable[..., Any]:
    """Find the student's function."""
    function = env.get(name)
    if function is None:
        raise AssertionError(f"there is no function {name} yet; run the cell that defines it")
    if not callable(function):
        raise AssertionError(f"{name} is no longer a function; run the cell that defines it again")
    return function  # type: ignore[no-any-return]  # a notebook's names can be anything


def call(
    env: Mapping[str, Any],
    name: str,
    arguments: tuple[Any, ...],
    options: Mapping[str, Any] | None = None,
    *,
    through: str = "",
) -> Any:
    """Call the student's function and return its answer; it must leave its arguments as they were.

    through  a function that the notebook gives, which calls the student's ``name`` and turns what arrays
             cannot say, such as a model, into arrays; the arguments are its own
    Raises ValueError where the function does, for the caller to judge, and Failure for all else.
    """
    function_of(env, name)
    function = function_of(env, through or name)
    before = [snapshot(argument) for argument in arguments]
    try:
        answer = function(*arguments, **(options or {}))
        changed = [place for place, argument in enumerate(arguments) if snapshot(argument) != before[place]]
    except (Exception, SystemExit) as error:
        changed = getattr(error, "changed_arguments", [])  # in another process, which tells it like this
        if changed:
            raise changed_argument(name, changed[0]) from None
        if isinstance(error, ValueError) and "read-only" in str(error) and has_read_only(arguments):
            sentence = f"your {name} tries to change its argument; work on a copy"
            raise Failure(["changed", 0], sentence) from None
        if isinstance(error, ValueError):
            raise
        outcome = ["raises", type(error).__name__]
        raise Failure(outcome, f"your {name} stopped with {story_of(error, env)}") from None
    if changed:
        raise changed_argument(name, changed[0])
    return answer


def changed_argument(name: str, position: int) -> Failure:
    """What to say where a function has not left an argument as it was."""
    return Failure(
        ["changed", position],
        f"your {name} changed its {ordinal(position)} argument; "
        "a function should leave what it is given as it was, so work on a copy",
    )


def numbers(answer: Any, name: str) -> np.ndarray:
    """The answer as a plain array of real numbers, or a sentence that says why it is none."""
    if answer is None or answer is Ellipsis:
        raise Failure(
            ["nothing"],
            f"your {name} gives nothing back yet; it should end with return and the result, "
            "and so should any function of yours that it uses",
        )
    if hasattr(answer, "detach"):  # a torch tensor that still remembers its gradient
        answer = answer.detach()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = np.asarray(answer)
    except Exception:
        raise Failure(
            ["kind", type(answer).__name__],
            f"your {name} gives back something of type {type(answer).__name__} that is no array of numbers",
        ) from None
    if array.dtype.kind not in "biuf":
        kinds = {"U": "text", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "times"}
        found = kinds.get(array.dtype.kind, f"something of type {type(answer).__name__}")
        raise Failure(["kind", found], f"your {name} gives back {found} where plain numbers are asked for")
    return array


def place_of(index: tuple[int, ...]) -> str:
    """Name a position in an array the way the course does, as a sentence begins; a single number has none."""
    if len(index) == 2:
        return f"at row {index[0]}, column {index[1]} "
    return f"at position {', '.join(str(i) for i in index)} " if index else ""


def border_only(wrong: np.ndarray) -> bool:
    """Whether the inside of a picture is right and only its border is not."""
    return wrong.ndim == 2 and min(wrong.shape) > 2 and not wrong[1:-1, 1:-1].any()


def digest(values: np.ndarray, tolerance: float, scale: float) -> list[Any]:
    """Three weighted sums that tell arrays of one shape apart, how far they may be off, how telling they are.

    The weights are whole numbers that look random and are the same everywhere: multiples of 1/8 sum exactly.
    """
    flat = np.asarray(values, dtype=float).ravel()
    finite = flat[np.isfinite(flat)]
    scale = max(scale, float(np.abs(finite).max()) if finite.size else 0.0) or 1.0
    flat = np.nan_to_num(flat, nan=1.75 * scale, posinf=2.5 * scale, neginf=-2.25 * scale)
    places = np.arange(flat.size, dtype=np.uint64)
    sums = []
    for turn in (1, 2, 3):
        mixed = (places * np.uint64(7919) + np.uint64(104729 * turn)) * np.uint64(2654435761)
        weights = ((mixed >> np.uint64(16)) % np.uint64(17)).astype(float) - 8
        sums.append(float(f"{(weights * flat).sum():.7g}"))
    slack = float(f"{24 * max(tolerance, 1e-6) * scale * max(flat.size, 1) ** 0.5:.2g}")
    telling = len(np.unique(np.round(flat / scale, 6)))
    return [sums, slack, min(telling, 99)]


def on_a_circle(values: np.ndarray, period: float) -> np.ndarray:
    """Angles as points of a circle, so that both ends of the scale meet."""
    turns = 2 * np.pi * values / period
    return np.stack([np.cos(turns), np.sin(turns)])


def expect(
    env: Mapping[str, Any],
    name: str,
    arguments: tuple[Any, ...],
    expected: Any,
    tolerance: float = EXACT,
    case: str = "",
    dtype: Any = None,
    reveal: bool = False,
    *,
    options: Mapping[str, Any] | None = None,
    absolute: float | None = None,
    period: float | None = None,
    where: Any = None,
    view: Callable[[Any], Any] | None = None,
    through: str = "",
) -> None:
    """Call ``name`` and compare its answer: exactly this shape, finite, every value within the tolerance.

    tolerance  as a part of the largest expected value
    case       what was tried, for the sentence
    dtype      the type that must be kept (byte order aside), where the exercise asks for it
    reveal     whether the sentence may state the right value (open checks only)
    options    keyword arguments
    absolute   tolerance in the unit of the answer, instead
    period     of an angle: compared modulo this, and answers must lie within 0 to period
    where      boolean array: only these places are compared
    view       turns the answer into what is compared, such as the outer product of two arrays
    through    a function of the notebook that calls ``name``, see ``call``
    """
    function_of(env, name)  # if there is none, it does not matter what was tried
    trial = Trial(name, case)
    try:
        answer = call(env, name, arguments, options, through=through)
        array = numbers(view(answer) if view and answer is not None else answer, name)
    except ValueError as error:
        settle(trial.wrong(["raises", "ValueError"], f"your {name} stopped with {story_of(error, env)}"))
        return
    except Failure as error:
        if error.outcome[0] in ("nothing", "kind"):
            trial.case = ""  # whatever was tried
        settle(trial.wrong(error.outcome, str(error)))
        return
    right = np.asarray(expected, dtype=float)
    compare(trial, array, right, tolerance, absolute, period, where, reveal)
    if not trial.sentence and dtype is not None and not isinstance(answer, list | tuple):
        kept = array.dtype.newbyteorder("=") == np.dtype(dtype).newbyteorder("=")
        if not kept:
            sentence = f"your {name} gives back {array.dtype}; the type {np.dtype(dtype)} should be kept"
            trial.wrong(["type", array.dtype.name], sentence)
    settle(trial)


def compare(
    trial: Trial,
    array: np.ndarray,
    right: np.ndarray,
    tolerance: float,
    absolute: float | None,
    period: float | None,
    where: Any,
    reveal: bool,
) -> None:
    """Compare an array with the right one and note in the trial what differs first."""
    name = trial.name
    with np.errstate(all="ignore"):
        values = array.astype(float)
    same_shape = values.shape == right.shape
    scale = float(np.abs(right).max()) if right.size else 0.0
    allowed = absolute if absolute is not None else tolerance * (scale or 1.0)
    counted = np.ones(right.shape, dtype=bool) if where is None else np.asarray(where, dtype=bool)
    stored = np.where(counted, values, 0.0) if same_shape else values
    outside = period is not None and bool(((stored < 0) | (stored > period)).any())
    sentence = ""
    if same_shape:
        off = np.abs(values - right)
        if period is not None:
            off = np.minimum(off % period, period - off % period)
        lost = counted & ~np.isfinite(values)
        wrong = counted & ~(off <= allowed)
        if lost.any():
            place = tuple(int(i) for i in np.argwhere(lost)[0])
            sentence = f"{place_of(place)}your {name} gives {values[place]}, which is no finite number"
        elif wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            inside = "the inside is right but the border is not: " if border_only(wrong) else ""
            found, asked_for = values[place], right[place]
            digits = 6 if f"{found:.6g}" != f"{asked_for:.6g}" else 12  # enough to see that the two differ
            verdict = f"; {asked_for:.{digits}g} is right" if reveal else ", which is not right"
            sentence = f"{inside}{place_of(place)}your {name} gives {found:.{digits}g}{verdict}"
        elif outside:
            sentence = f"your {name} gives values outside 0 to {period:g}"
        if sentence:
            trial.found, trial.expected = values, right
    else:
        got = f"an array of shape {array.shape}" if array.ndim else "a single number"
        asked = f"an array of shape {right.shape}" if right.ndim else "a single number"
        sentence = f"your {name} gives back {got}; {asked} is asked for"
    if not sentence:
        return
    if period is not None and np.isfinite(stored).all():
        stored = on_a_circle(stored, period)
    outcome = ["array", [*values.shape, "outside"] if outside else list(values.shape)]
    outcome += digest(stored, allowed / (scale or 1.0), scale if period is None else 1.0)
    trial.wrong(outcome, sentence)


def refuse(
    env: Mapping[str, Any],
    name: str,
    arguments: tuple[Any, ...],
    case: str,
    options: Mapping[str, Any] | None = None,
) -> None:
    """The function must raise ValueError for these arguments."""
    function_of(env, name)
    trial = Trial(name, "")
    try:
        call(env, name, arguments, options)
    except ValueError:
        pass
    except Failure as error:
        trial.wrong(error.outcome, f"your {name} should raise ValueError for {case}, but {error}")
    else:
        trial.wrong(["accepted"], f"your {name} should raise ValueError for {case}, and it does not")
    settle(trial)


def forms(array: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The same numbers in the forms in which arrays arrive, each with words that fit behind "the image"."""
    array = np.asarray(array)
    yield "as float64", array.astype(np.float64)
    if array.size and array.min() >= 0 and array.max() <= 255 and (array == np.floor(array)).all():
        yield "as uint8", array.astype(np.uint8)
    yield "as float32", array.astype(np.float32)
    yield "with the bytes of each number in reverse order", array.astype(">f8")
    yield "stored column by column", np.asfortranarray(array, dtype=float)
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]))
    wide[..., ::2] = array
    yield "cut out of a wider array", wide[..., ::2]
    fixed = array.astype(np.float64)
    fixed.setflags(write=False)
    yield "that is read-only", fixed


def advise_against(env: Mapping[str, Any], name: str, attributes: set[str], advice: str) -> None:
    """Print ``advice`` where the function's own code uses one of these attributes: advice, not a failure."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(env[name])))
    except (OSError, TypeError, SyntaxError, KeyError):
        return
    if any(isinstance(node, ast.Attribute) and node.attr in attributes for node in ast.walk(tree)):
        print(advice)
