"""The look of the book's figures as code, for notebooks that have no ``matplotlibrc`` beside them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import matplotlib

# How sharply the site's pictures are drawn; a notebook shows every pixel, so there they would be huge.
_SCREEN = {"figure.dpi", "savefig.dpi"}


def house_style(matplotlibrc: Path) -> str:
    """Return the code that gives an empty folder the look of the book's figures, "" where there is no file.

    Written are the settings that differ from matplotlib's own, whatever version made the file.
    """
    if not matplotlibrc.is_file():
        return ""
    settings = matplotlib.rc_params_from_file(str(matplotlibrc), use_default_template=False)
    lines = []
    for name, value in sorted(settings.items()):
        if name in _SCREEN or value == matplotlib.rcParamsDefault[name]:
            continue
        if name == "axes.prop_cycle":
            # A colour that looks like a number ("000000") is written as every other: with its hash.
            keys = (
                f"{key}={_written([_as_colour(item) for item in items])}"
                for key, items in value.by_key().items()
            )
            lines.append(f'    "{name}": plt.cycler({", ".join(keys)}),')
        else:
            lines.append(f'    "{name}": {_written(value)},')
    if not lines:
        return ""
    # In Colab the title stands in the place of the folded code.
    head = (
        "# @title How figures look in this course\nimport matplotlib.pyplot as plt\n\nplt.rcParams.update({"
    )
    return "\n".join([head, *lines, "})"])


def _written(value: object) -> str:
    """Return a setting as Python, with the quotation marks that the rest of the book uses."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return repr(value)


def _as_colour(value: object) -> object:
    return f"#{value}" if re.fullmatch("[0-9a-fA-F]{6}", str(value)) else value
