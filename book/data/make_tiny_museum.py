"""Draw Tiny Museum anew, the same bytes each time:

.venv/bin/python book/data/make_tiny_museum.py [FOLDER]
"""

import sys
from pathlib import Path

from museum.files import write

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("tiny-museum")
    write(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.2f} MB")
