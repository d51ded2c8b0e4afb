"""Draw a page of text that nobody wrote: our own letters, from a seed, straight or skewed, shaded, grainy."""

import cv2
import numpy as np

INK, PAPER = 45, 225  # grey levels
PIXEL = 2  # each square of a letter's bitmap is drawn 2 × 2 pixels large
LETTER_HEIGHT, LETTER_WIDTH = 7 * PIXEL, 5 * PIXEL
LINE_STEP, LETTER_STEP, MARGIN = 26, LETTER_WIDTH + PIXEL, 36

# The 23 letters of the Romans, five squares wide and seven high.
ALPHABET = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".#### #.... #.... #.... #.... #.... .####",
    "D": "####. #...# #...# #...# #...# #...# ####.",
    "E": "##### #.... #.... ####. #.... #.... #####",
    "F": "##### #.... #.... ####. #.... #.... #....",
    "G": ".#### #.... #.... #..## #...# #...# .####",
    "H": "#...# #...# #...# ##### #...# #...# #...#",
    "I": ".###. ..#.. ..#.. ..#.. ..#.. ..#.. .###.",
    "K": "#...# #..#. #.#.. ##... #.#.. #..#. #...#",
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "M": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "N": "#...# ##..# ##..# #.#.# #..## #..## #...#",
    "O": ".###. #...# #...# #...# #...# #...# .###.",
    "P": "####. #...# #...# ####. #.... #.... #....",
    "Q": ".###. #...# #...# #...# #.#.# #..#. .##.#",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "S": ".#### #.... #.... .###. ....# ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    "V": "#...# #...# #...# #...# .#.#. .#.#. ..#..",
    "X": "#...# #...# .#.#. ..#.. .#.#. #...# #...#",
    "Y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
    "Z": "##### ....# ...#. ..#.. .#... #.... #####",
}
VOCABULARY = (
    "ARBOR ARS AVIS CAELVM CANIS CHARTA CLAVIS DOMVS EQVVS ET FABVLA FENESTRA FLVMEN GLADIVS HORA HORTVS "
    "IGNIS IN INSVLA LAPIS LEX LIBER LITTERA LVNA LVX MANVS MARE MENS MONS NAVIS NIX NOX NVMERVS OCVLVS "
    "ORBIS PAGINA PANIS PER PONS PORTA REX ROTA SAXVM SCRIBA SIGNVM SILVA SOL STILVS TABVLA TEMPVS TERRA "
    "TVRRIS VENTVS VERBVM VIA VITA VOX VRBS ZONA"
)
WORDS = VOCABULARY.split()


def letter(name):
    """Return one letter as it stands on an even, straight page, without blank paper around it.

    name     one of the 23 keys of ALPHABET
    returns  (14, 10) float, grey levels: ink 45, paper 225
    """
    bitmap = np.array([[square == "#" for square in row] for row in ALPHABET[name].split()])
    return np.where(np.kron(bitmap, np.ones((PIXEL, PIXEL), dtype=bool)), float(INK), float(PAPER))


def letters_on_page(height=400, width=600, *, seed):
    """Set words in lines, ragged on the right, and say which letter stands where.

    height, width   of the page, in pixels
    seed            the same seed gives the same words
    returns         list of (letter, row, column): the letter's top left pixel on the straight page
    """
    words = np.random.default_rng(seed)
    places = []
    for top in range(MARGIN, height - MARGIN - LETTER_HEIGHT + 1, LINE_STEP):
        left = MARGIN
        word = words.choice(WORDS)
        while left + len(word) * LETTER_STEP <= width - MARGIN:
            places += [(name, top, left + i * LETTER_STEP) for i, name in enumerate(word)]
            left += (len(word) + 1) * LETTER_STEP
            word = words.choice(WORDS)
    return places


def text_page(height=400, width=600, *, seed, skew=0.0, shading=0.0, noise=0.0):
    """Draw a page of dark Roman capitals on light paper. The same arguments give the same page.

    height, width   of the page, in pixels; a page too small for a letter inside its margins is blank
    seed            chooses words, place of the shadow and grain; each stays when the others change
    skew            degrees; positive: lines fall to the right, the page is turned clockwise on screen
    shading         0 to 1, the share of the light that is missing where the shadow is deepest
    noise           standard deviation of the grain, in grey levels
    returns         (height, width) uint8, 0 black, 255 white
    """
    page = np.full((height, width), PAPER, dtype=np.float32)
    for name, row, column in letters_on_page(height, width, seed=seed):
        page[row : row + LETTER_HEIGHT, column : column + LETTER_WIDTH] = letter(name)

    middle = ((width - 1) / 2, (height - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, -skew, 1)  # OpenCV counts anticlockwise
    if skew:
        page = cv2.warpAffine(page, turn, (width, height), borderValue=float(PAPER))

    lamp, grain = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    rows, columns = np.indices((height, width))
    shadow_row, shadow_column = lamp.uniform(0, height), lamp.choice([0, width])
    distance = np.hypot(rows - shadow_row, columns - shadow_column) / (0.6 * width)
    page = page * (1 - shading * np.exp(-(distance**2)))
    page += noise * grain.standard_normal((height, width))
    return page.round().clip(0, 255).astype(np.uint8)
