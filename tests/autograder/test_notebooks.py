"""A notebook is read from its bytes alone; what is wrong with it is one sentence: what, where, what to do."""

import contextlib
import json
import time
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import notebooks
from autograder.errors import Unreadable
from tests.autograder.uploads import as_bytes, code, document


def sources(content: bytes) -> list[str]:
    """Read a notebook, which must come out valid, and return its sources."""
    read = notebooks.parse(content, "sobel.ipynb").document
    nbformat.validate(read)
    return [cell["source"] for cell in read["cells"]]


def fault(content: bytes, name: str = "sobel.ipynb") -> str:
    """Return the one sentence on a notebook that cannot be read."""
    with pytest.raises(Unreadable) as caught:
        notebooks.parse(content, name)
    sentence = str(caught.value)
    assert sentence.startswith(f"{name} ")
    assert sentence.count(".") == sentence.count(".ipynb") + 1 + (not name.endswith("ipynb"))
    assert sentence.endswith(".")
    return sentence


GOOD = as_bytes(document(code("name = 'Zoë'\n")))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_utf8_is_read(mark: bytes) -> None:
    assert sources(mark + GOOD) == ["name = 'Zoë'\n"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (GOOD.decode().encode("utf-16"), "UTF-16"),
        (GOOD.decode().encode("utf-16-le"), "UTF-16"),
        (GOOD.decode().encode("utf-32"), "UTF-16 or as no text"),
        (GOOD.decode().encode("latin-1"), "is not saved as UTF-8 (line 5)"),
        (
            b"\n <!DOCTYPE html><html><title>Log in</title></html>",
            "is a web page, perhaps one that asks to log in",
        ),
        (b"<html></html>", "is a web page"),
        (GOOD.replace(b' "cells"', b'<<<<<<< HEAD\n "cells"'), "holds a git conflict (line 2)"),
        (GOOD[:-40], "is cut off (line "),
        (GOOD[: GOOD.index(b"printed")], "is cut off (line "),
        (b'{"cells": nul', "is cut off (line 1)"),
        (GOOD.replace(b'"nbformat":', b'"nbformat"'), "is damaged (line "),
        (GOOD + GOOD, "is damaged (line "),
        (b"[]", "begins with a list"),
        (b'"cells"', "begins with a list or a value"),
        (b"import numpy as np\n", "is not a notebook"),
        (b"PK\x03\x04rest", "is a zip and not a notebook"),
        (b"%PDF-1.7 \xff", "is not saved as UTF-8 (line 1)"),
        (b"{}", "has no cells"),
        (as_bytes(document(cells=[])), "has no cells"),
        (as_bytes(document(cells=None)), "has no cells"),
        (as_bytes(document(cells=[None, 3])), "has no cells"),
        (as_bytes(document(cells=[{}] * 5001)), "has more than 5,000 cells"),
        (b'{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "lists in lists without end"),
        (b'{"a":' * 100_000, "lists in lists without end"),
        (as_bytes(document(metadata={"score": float("nan")})), "a number that is none (NaN"),
        (GOOD.replace(b'"nbformat": 4', b'"nbformat": 1e999'), "a number that is none"),
        (GOOD.replace(b'"nbformat": 4', b'"nbformat": ' + b"4" * 100_000), "thousands of digits"),
    ],
)
def test_fault_is_named(content: bytes, said: str) -> None:
    assert said in fault(content)


def test_script_is_told_from_a_damaged_notebook() -> None:
    assert "is not a notebook" in fault(b"{'a': 1}", "sobel.py")


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"language": "julia", "name": "julia-1.9"}, "language_info": {"name": "julia"}},
        {"kernelspec": {"name": "julia-1"}},
        {"kernelspec": {"name": "ir", "display_name": "R"}},
        {"language_info": {"name": "R"}},
    ],
)
def test_other_language_is_named(metadata: dict[str, Any]) -> None:
    assert "choose the kernel Python 3" in fault(as_bytes(document(metadata=metadata)))


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        None,
        [],
        {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        {
            "kernelspec": {"name": "conda-env-course-py"},
            "language_info": {"name": "python", "version": "3.9"},
        },
        {"kernelspec": {"name": ["odd"], "language": 3}, "language_info": "python"},
        {"kernelspec": {"name": "irma's environment"}},
    ],
)
def test_python_of_any_environment_is_read(metadata: Any) -> None:
    assert len(sources(as_bytes(document(metadata=metadata)))) == 3


@pytest.mark.parametrize("version", [4, "4", None, 5, "5", [4], 4.0, True, -1, "four"])
def test_format_that_is_said_oddly_is_read_as_format_4(version: Any) -> None:
    assert sources(as_bytes(document(code("a = 1"), nbformat=version))) == ["a = 1"]


@pytest.mark.parametrize("version", [5, "5"])
def test_format_that_does_not_exist_yet_is_noted(version: Any) -> None:
    (note,) = notebooks.parse(as_bytes(document(nbformat=version)), "x").notes
    assert note == "It says that its format is 5; it was read as format 4."


def test_format_3_is_read_from_its_worksheets() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {"cells": [{"cell_type": "heading", "level": 1, "source": ["Edges"]}]},
            {
                "cells": [
                    {"cell_type": "code", "input": ["a = 1\n", "a"], "outputs": [], "language": "python"}
                ]
            },
        ],
    }
    read = notebooks.parse(as_bytes(old), "x").document
    nbformat.validate(read)
    assert [(cell["cell_type"], cell["source"]) for cell in read["cells"]] == [
        ("markdown", "Edges"),
        ("code", "a = 1\na"),
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a = 1\nb = 2", "a = 1\nb = 2"),
        (["a = 1\n", "b = 2"], "a = 1\nb = 2"),
        ([], ""),
        (None, ""),
        (7, ""),
        (["a", None, {"b": 1}], "a"),
    ],
)
def test_source_of_any_form_is_text(source: Any, text: str) -> None:
    assert sources(as_bytes(document(code(source)))) == [text]


def test_half_a_character_in_a_source_is_replaced() -> None:
    assert sources(as_bytes(document(code("name"))).replace(b'name"', b'\\ud800"', 1))[0].encode()


def test_outputs_and_counts_are_dropped_whatever_they_hold() -> None:
    plotted = code("a = 1", outputs=[{"data": {"values": [float("nan")], "picture": "x" * 1_000_000}}])
    (cell,) = notebooks.parse(as_bytes(document(plotted)), "x").document["cells"]
    assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_tags_are_kept_and_other_metadata_is_not() -> None:
    tagged = code("a", metadata={"tags": ["otter_ignore", 3], "deletable": "perhaps", "deep": [[[]]]})
    (cell,) = notebooks.parse(as_bytes(document(tagged)), "x").document["cells"]
    assert cell["metadata"] == {"tags": ["otter_ignore"]}


def test_good_ids_are_kept_and_others_replaced() -> None:
    ids = ["setup", "setup", "", "no spaces", "x" * 65, None, 5, "cell-8", "q1"]
    cells = [code("a", id=value) for value in ids]
    read = notebooks.parse(as_bytes(document(*cells)), "x").document
    nbformat.validate(read)
    assert [cell["id"] for cell in read["cells"]] == ["setup", *(f"cell-{n}" for n in range(2, 9)), "q1"]


def test_id_that_is_given_here_meets_no_other() -> None:
    cells = [code("a", id=value) for value in ("cell-2", None, "cell-2")]
    read = notebooks.parse(as_bytes(document(*cells)), "x").document
    assert len({cell["id"] for cell in read["cells"]}) == 3


def test_cell_that_is_none_is_left_out_and_noted() -> None:
    read = notebooks.parse(as_bytes(document(code("a"), None, "text", [])), "x")
    assert len(read.document["cells"]) == 1
    assert read.notes == ("Left out, because they are no cells: 3.",)


def test_cell_of_an_unknown_kind_is_not_run() -> None:
    assert sources(as_bytes(document(code("a", cell_type="widget"), code("b", cell_type=None)))) == ["a", "b"]
    read = notebooks.parse(as_bytes(document(code("a", cell_type="widget"))), "x").document
    assert [cell["cell_type"] for cell in read["cells"]] == ["raw"]


@pytest.mark.parametrize(
    "hostile",
    [
        b"<<<<<<< \n" * 300_000,
        b"{" + b"\n<<<<<<< " * 300_000,
        as_bytes(document(code("a" * 3_000_000 + " " * 9))),
    ],
    ids=["conflicts", "conflicts in braces", "one long name"],
)
def test_text_made_to_be_slow_is_not(hostile: bytes) -> None:
    start = time.process_time()
    with contextlib.suppress(Unreadable):
        notebooks.parse(hostile, "x.ipynb").defined()
    assert time.process_time() - start < 2  # a tenth of that, unless some search is quadratic


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["cell_type", "source", "input", "metadata", "id", "outputs", "tags", "language", "name", "slug"]
)
mappings = st.dictionaries(keys, anything, max_size=6)
metadata = st.fixed_dictionaries(
    {}, optional={key: mappings | anything for key in ("kernelspec", "language_info", "mostly_harmless")}
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "cells": st.lists(mappings | anything, max_size=4) | anything,
            "worksheets": st.lists(mappings, max_size=2) | anything,
            "metadata": metadata | anything,
            "nbformat": anything,
        },
    )
)
def test_anything_in_the_form_of_a_notebook_is_valid_or_one_sentence(raw: dict[str, Any]) -> None:
    try:
        read = notebooks.parse(json.dumps(raw).encode(), "x.ipynb")
    except Unreadable:
        fault(json.dumps(raw).encode(), "x.ipynb")
    else:
        nbformat.validate(read.document)
        read.defined()
        json.dumps(read.document).encode()


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_notebook_or_one_sentence(content: bytes) -> None:
    assert fault(content)


@given(st.integers(1, len(GOOD) - 2))
def test_notebook_cut_anywhere_is_cut_off(length: int) -> None:
    assert any(said in fault(GOOD[:length]) for said in ("cut off", "damaged", "UTF-8", "empty"))
