"""What the recorded runs on a graphics processor came to, in words, for the chapter on colour pictures."""

import statistics
from typing import Any

OLD_NOTEBOOK = 0.7228  # what it ended at, after 25 epochs


def in_words(run: dict[str, Any]) -> str:
    """Tell how the original recipe and the small network did.

    run  what ``recorded`` holds of one machine: each of its curves has ``contestant`` and ``epochs``, pairs
         of seconds of training and the share of test pictures named rightly
    """
    mean = statistics.mean  # not a name of the chapter's: there, that is the mean of its pictures
    original, treated, fast = (
        [curve["epochs"] for curve in run["curves"] if curve["contestant"] == name] for name in "abc"
    )
    words = [
        f"On a graphics processor ({run['machine']}, {run['date']}) they learned from {run['pictures']:,d} "
        f"pictures and were asked about {run['tests']:,d}."
    ]
    if original:
        a_seconds, a_end = (mean(epochs[-1][part] for epochs in original) for part in (0, 1))
        words.append(
            f"The original recipe took {as_time(a_seconds)} for its {len(original[0])} epochs and ended at "
            f"{a_end:.1%}{of_runs(original)}; the old notebook had reported {OLD_NOTEBOOK:.1%}."
        )
    if treated:
        b_seconds, b_end = (mean(epochs[-1][part] for epochs in treated) for part in (0, 1))
        words.append(
            f"The same network, treated better, came to {b_end:.1%} in {as_time(b_seconds)}"
            f"{of_runs(treated)}."
        )
    if fast:
        c_seconds, c_end = (mean(epochs[-1][part] for epochs in fast) for part in (0, 1))
        worst = min(epochs[-1][1] for epochs in fast)
        words.append(
            f"The small and fast network ended at {c_end:.1%} after {as_time(c_seconds)}{of_runs(fast)}"
            + (f", the worst of which came to {worst:.1%}." if len(fast) > 1 else ".")
        )
    passed = [next((seconds for seconds, share in epochs if share >= OLD_NOTEBOOK), None) for epochs in fast]
    reached = [seconds for seconds in passed if seconds is not None]
    if original and reached and len(reached) == len(fast):
        words.append(
            f"It had passed what the old notebook reported after {as_time(mean(reached))}: while the "
            f"original learns once, it could have got that far {a_seconds / mean(reached):,.0f} times."
        )
    words.append("The machine and the pictures are the same. Only what was done with them is not.")
    return " ".join(words)


def as_time(seconds: float) -> str:
    """Write a time as one says it."""
    return f"{seconds / 60:.1f} minutes" if seconds >= 100 else f"{seconds:.1f} seconds"


def of_runs(runs: list[Any]) -> str:
    """Say of how many runs a number is the mean."""
    return f" (the mean of {len(runs)} runs)" if len(runs) > 1 else ""
