"""Tiny Museum: the same bytes from the same seed, fair to its ten kinds, and as difficult as recorded."""

from __future__ import annotations

import hashlib
import io
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from museum import artefacts, files, scenes, shapes
from PIL import Image

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "book" / "data" / "tiny-museum"
KINDS = range(len(artefacts.NAMES))


def path_of(split: str, folder: Path = FOLDER) -> Path:
    return folder / "data" / f"{split}-00000-of-00001.parquet"


def images(split: str, folder: Path = FOLDER) -> np.ndarray:
    cells = parquet.read_table(path_of(split, folder))["img"].to_pylist()
    return np.stack([np.array(Image.open(io.BytesIO(cell["bytes"]))) for cell in cells])


@pytest.fixture(scope="module")
def shipped() -> dict[str, np.ndarray]:
    return {split: images(split) for split in files.SPLITS}


@pytest.fixture(scope="module")
def labels() -> dict[str, np.ndarray]:
    return {split: parquet.read_table(path_of(split))["label"].to_numpy() for split in files.SPLITS}


@pytest.fixture(scope="module")
def drawn_anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("museum")
    files.write(folder)
    return folder


def test_drawing_it_anew_gives_the_same_pictures_pixel_by_pixel(
    drawn_anew: Path, shipped: dict[str, np.ndarray]
) -> None:
    for split in files.SPLITS:
        np.testing.assert_array_equal(images(split, drawn_anew), shipped[split])


def test_drawing_it_anew_gives_the_same_files_byte_by_byte(drawn_anew: Path) -> None:
    # The packages that compress are pinned; with others the pictures are still the same, as said above.
    names = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.is_file())

    assert names == sorted(path.relative_to(drawn_anew) for path in drawn_anew.rglob("*") if path.is_file())
    assert [name for name in names if (FOLDER / name).read_bytes() != (drawn_anew / name).read_bytes()] == []


def test_the_datasheet_names_the_checksums_of_the_files() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")

    found = dict(re.findall(r"\| `(data/\S+)` \| `([0-9a-f]{64})` \|", text))

    assert found == {
        str(path.relative_to(FOLDER)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (FOLDER / "data").iterdir()
    }


def test_the_datasheet_says_what_hugging_face_reads() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    said = yaml.safe_load(text.split("---")[1])
    info = said["dataset_info"]

    names = info["features"][1]["dtype"]["class_label"]["names"]
    assert list(names.values()) == list(artefacts.NAMES)
    assert {split["name"]: split["num_examples"] for split in info["splits"]} == files.SPLITS
    assert [entry["split"] for entry in said["configs"][0]["data_files"]] == list(files.SPLITS)
    assert info["download_size"] == sum(path_of(split).stat().st_size for split in files.SPLITS)
    assert not re.search(r"<\w+>", text), "a number was not filled in"


def test_it_weighs_at_most_eight_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 8_000_000


def test_every_picture_is_32_by_32_in_colour(shipped: dict[str, np.ndarray]) -> None:
    assert {split: found.shape for split, found in shipped.items()} == {
        split: (many, 32, 32, 3) for split, many in files.SPLITS.items()
    }
    assert all(found.dtype == np.uint8 for found in shipped.values())


def test_all_kinds_are_equally_frequent_and_in_no_order(labels: dict[str, np.ndarray]) -> None:
    for split, many in files.SPLITS.items():
        assert np.bincount(labels[split]).tolist() == [many // 10] * 10
        same_as_next = np.mean(labels[split][1:] == labels[split][:-1])
        assert 0.06 < same_as_next < 0.14  # one in ten by chance; four deviations of 999 pairs are 0.04


def test_no_picture_is_there_twice(shipped: dict[str, np.ndarray]) -> None:
    found = {picture.tobytes() for split in shipped.values() for picture in split}

    assert len(found) == sum(files.SPLITS.values())


def test_the_splits_look_alike_and_use_the_range_of_colours(shipped: dict[str, np.ndarray]) -> None:
    means = [split.mean(axis=(0, 1, 2)) for split in shipped.values()]
    deviations = [split.std(axis=(0, 1, 2)) for split in shipped.values()]

    # A picture's mean spreads by about 30 levels, so the mean of 1,000 errs by about one.
    np.testing.assert_allclose(means[0], means[1], atol=4)
    np.testing.assert_allclose(deviations[0], deviations[1], atol=4)
    assert all(90 < mean < 160 for mean in means[0])
    assert all(35 < deviation < 75 for deviation in deviations[0])


def test_no_kind_gives_itself_away_by_its_mean_colour(
    shipped: dict[str, np.ndarray], labels: dict[str, np.ndarray]
) -> None:
    means = np.stack([shipped["train"][labels["train"] == kind].mean(axis=(0, 1, 2)) for kind in KINDS])
    spread = shipped["train"].mean(axis=(1, 2)).std(axis=0)

    assert (np.ptp(means, axis=0) < spread).all()


@settings(max_examples=30)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_picture_and_another_seed_another(kind: int, seed: int) -> None:
    one = scenes.picture(kind, (seed, 0, 5))

    assert np.array_equal(one, scenes.picture(kind, (seed, 0, 5)))
    assert not np.array_equal(one, scenes.picture(kind, (seed, 0, 6)))


@settings(max_examples=30)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32))
def test_an_object_lies_within_its_drawing_and_fills_a_good_part_of_it(kind: int, seed: int) -> None:
    drawing = shapes.Drawing(*shapes.points())

    artefacts.ARTEFACTS[kind](drawing, np.random.default_rng(seed))

    assert 0.07 < drawing.covered.mean() < 0.75
    assert drawing.colour.min() >= 0
    assert drawing.colour.max() <= 1
    assert not drawing.colour[~drawing.covered].any()


def test_shapes_have_the_areas_that_geometry_says() -> None:
    draw = shapes.Drawing(*shapes.points())

    # A boundary of n points may err by about the root of n, below 20 here.
    assert draw.ellipse((3, -2), 30, 20).sum() == pytest.approx(np.pi * 600, abs=20)
    assert draw.ring((0, 0), 30, 30, 4).sum() == pytest.approx(np.pi * (32**2 - 28**2), abs=20)
    assert draw.line((-20, 0), (20, 0), 6).sum() == pytest.approx(240 + np.pi * 9, abs=20)
    assert draw.polygon([(-20, -10), (20, -10), (20, 10), (-20, 10)]).sum() == 800
    assert draw.turned([-30, 30], [10, 20]).sum() == pytest.approx(60 * 30, abs=60)


# What the course says about the set, held against the recorded run.


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((ROOT / "benchmarks" / "results" / "tiny_museum.json").read_text(encoding="utf-8"))


def test_the_recorded_difficulty_is_the_one_that_the_course_asks_for(record: dict) -> None:
    ways = {name: way["accuracy"]["median"] for name, way in record["ways"].items()}

    assert 0.35 <= ways["linear"] <= 0.5
    assert 0.62 <= ways["LeNet-5"] <= 0.72
    assert 0.86 <= ways["small CNN"] <= 0.94
    assert record["ways"]["small CNN"]["accuracy"]["worst"] >= 0.84
    assert record["ways"]["small CNN"]["cpu_seconds"] < 20
    assert ways["original recipe"] < 0.2


def test_the_recorded_mistakes_stay_below_what_an_exercise_asks(record: dict) -> None:
    best = {name: way["accuracy"]["best"] for name, way in record["ways"].items()}
    mistakes = ("constant rate", "softmax before loss", "no step", "no zero_grad", "shuffled labels")

    assert all(best[name] < 0.78 for name in (*mistakes, "sorted rows"))


def test_better_ways_do_better(record: dict) -> None:
    order = [record["ways"][name]["accuracy"]["median"] for name in ("linear", "LeNet-5", "small CNN")]

    assert all(before < after for before, after in pairwise(order))
