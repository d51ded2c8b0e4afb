"""All pictures of Tiny Museum as Parquet in the layout of Hugging Face, with their datasheet."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from numpy.random import default_rng
from PIL import Image

from museum.artefacts import NAMES
from museum.scenes import Picture, picture

SEED = 1979
SPLITS = {"train": 3600, "test": 1000}
_DATASHEET = Path(__file__).with_name("datasheet.md")


def labels_of(split: str) -> list[int]:
    """Return the kind of every picture of a split: all ten equally often, in no order."""
    many, place = SPLITS[split], list(SPLITS).index(split)
    kinds = np.arange(many) % len(NAMES)
    return [int(kind) for kind in default_rng([SEED, place]).permutation(kinds)]


def draw(split: str, index: int, kind: int) -> Picture:
    """Return one picture of a split, (32, 32, 3) uint8, without drawing those before it."""
    return picture(kind, (SEED, list(SPLITS).index(split), index))


def table_of(split: str) -> pa.Table:
    """Return a split as the two columns that CIFAR-10 has on the Hub: ``img`` and ``label``."""
    labels = labels_of(split)
    cells = [
        {"bytes": compress(draw(split, index, kind)), "path": f"{split}-{index:04}.webp"}
        for index, kind in enumerate(labels)
    ]
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return pa.table(
        {"img": pa.array(cells, image), "label": pa.array(labels, pa.int64())}
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": _FEATURES}})})


# What `datasets` reads from the file itself where there is no README.md beside it.
_FEATURES = {
    "img": {"_type": "Image"},
    "label": {"names": list(NAMES), "_type": "ClassLabel"},
}


def compress(image: Picture) -> bytes:
    """Return a picture as a lossless WebP: every pixel is kept, in a third fewer bytes than as a PNG."""
    held = io.BytesIO()
    Image.fromarray(image).save(held, "WEBP", lossless=True, quality=75, method=4)
    return held.getvalue()


def write(folder: Path) -> None:
    """Write the Parquet of every split and README.md into a folder; the same bytes each time."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    said: dict[str, object] = {
        "names": "\n".join(f"          '{place}': {name}" for place, name in enumerate(NAMES)),
        "seed": SEED,
    }
    download_bytes = dataset_bytes = 0
    for split, many in SPLITS.items():
        path = folder / "data" / f"{split}-00000-of-00001.parquet"
        table = table_of(split)
        # Pictures are compressed already. Rows in groups, so that a reader can stop early.
        parquet.write_table(table, path, compression="none", use_dictionary=False, row_group_size=500)
        download_bytes += path.stat().st_size
        dataset_bytes += table.nbytes
        said |= {
            f"{split}_many": many,
            f"{split}_bytes": table.nbytes,
            f"{split}_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
    said |= {"download_bytes": download_bytes, "dataset_bytes": dataset_bytes}
    text = _DATASHEET.read_text(encoding="utf-8")
    for name, value in said.items():
        text = text.replace(f"<{name}>", str(value))
    (folder / "README.md").write_text(text, encoding="utf-8")
