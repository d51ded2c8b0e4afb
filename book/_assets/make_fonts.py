"""Cut the site's fonts to the characters that it uses. Run by hand; its results are committed.

    npm pack @fontsource/stix-two-math@5.3.0 @fontsource-variable/literata@5.3.0
    python book/_assets/make_fonts.py FOLDER

FOLDER is where npm ran, with the packages unpacked. See fonts/README.md for what is kept and why.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FONTS = Path(__file__).parent / "fonts"

ASCII = list(range(0x20, 0x7F))
LATIN = [
    *ASCII,
    *range(0xA0, 0x180),
    *range(0x2010, 0x2028),
    0x2030,
    0x2032,
    0x2033,
    0x2039,
    0x203A,
    0x20AC,
    0x2122,
]
LATIN += [0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x2215, 0x2248, 0x2260, 0x2264, 0x2265]

GREEK = [*range(0x391, 0x3AA), *range(0x3B1, 0x3CA), 0x3D1, 0x3D5, 0x3D6, 0x3F0, 0x3F1, 0x3F5]
# Operators, arrows, fences, dots, primes and what stretches over and under.
SIGNS = [
    *range(0x2010, 0x2027), *range(0x2032, 0x2038), 0x2044, 0x2057, *range(0x2061, 0x2065),
    *range(0x2190, 0x21A0), 0x21A6, *range(0x21D0, 0x21D6), *range(0x2200, 0x2238), 0x223C, 0x2243,
    0x2245, *range(0x2248, 0x224D), 0x2254, *range(0x2260, 0x2270), 0x226A, 0x226B,
    *range(0x2282, 0x228C), *range(0x2295, 0x229A), 0x22A4, 0x22A5, *range(0x22C0, 0x22C7),
    *range(0x22EE, 0x22F2), *range(0x2308, 0x230C), *range(0x239B, 0x23B1), 0x23B4, 0x23B5,
    *range(0x23DC, 0x23E2), 0x27E8, 0x27E9, 0x2A00, 0x2A01, 0x2A02, 0x305, 0x302, 0x303, 0x304, 0x307,
    0x308, 0x20D7,
]  # fmt: skip
# Mathematics has code points of its own for bold, italic, script and double-struck letters.
LETTERS = [
    *range(0x1D400, 0x1D4D0), *range(0x1D538, 0x1D56C), *range(0x1D6A8, 0x1D756), *range(0x1D7CE, 0x1D7E2),
    0x2102, 0x210B, 0x210E, 0x2110, 0x2112, 0x2113, 0x2115, 0x2119, 0x211A, 0x211B, 0x211D, 0x2124, 0x212C,
    0x2130, 0x2131, 0x2133,
]  # fmt: skip


def cut(
    source: Path, target: Path, characters: list[int], features: list[str], weights: tuple[int, int] | None
) -> None:
    """Write the subset of a font as WOFF2; a variable font also loses the weights outside ``weights``."""
    font = TTFont(source)
    options = Options(
        flavor="woff2", layout_features=features, hinting=False, notdef_outline=True, drop_tables=["DSIG"]
    )
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # names, copyright and licence stay in the file
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    if weights:
        font = instancer.instantiateVariableFont(font, {"wght": weights})
    font.flavor = "woff2"
    font.save(target)
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


def main(folder: Path) -> None:
    """Find the packages under ``folder`` and write the fonts."""
    math = next(folder.rglob("stix-two-math-latin-400-normal.woff2"))
    cut(math, FONTS / "stix-two-math.woff2", [*ASCII, 0xA0, 0xAC, 0xB0, 0xB1, 0xB7, 0xD7, 0xF7, 0x131, 0x237,
        *GREEK, *SIGNS, *LETTERS], ["ssty", "dtls", "flac", "kern"], None)  # fmt: skip
    for style in ("normal", "italic"):
        source = next(folder.rglob(f"literata-latin-wght-{style}.woff2"))
        cut(
            source,
            FONTS / f"literata-{style}.woff2",
            LATIN,
            ["kern", "liga", "tnum", "lnum", "mark", "ccmp"],
            (400, 700),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
