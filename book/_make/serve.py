"""Serve the built site on localhost.

.venv/bin/python book/_make/serve.py [--port 8000] [--folder _build/html]
"""

from __future__ import annotations

import argparse
import errno
import functools
import sys
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class SiteHandler(SimpleHTTPRequestHandler):
    """Static files, with the site's own page for wrong addresses, as GitHub Pages does it."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a reader's every picture would be a line."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Serve the built site on localhost.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "_build" / "html")
    options = parser.parse_args()
    if not (options.folder / "index.html").is_file():
        print(f"There is no site in {options.folder} yet. Run make book first.", file=sys.stderr)
        return 1
    handler = functools.partial(SiteHandler, directory=str(options.folder))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = f"Port {options.port} is in use. Choose another: make serve PORT={options.port + 1}"
        else:
            reason = f"Port {options.port} cannot be used ({error}). Choose another: make serve PORT=8000"
        print(reason, file=sys.stderr)
        return 1
    print(f"The site is at http://localhost:{server.server_port}/ (Ctrl-C ends it).", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
