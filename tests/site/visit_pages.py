"""Open every page of a built site in Chromium and say, as JSON, what happened. Run with the network cut off.

python tests/site/visit_pages.py FOLDER PAGE [PAGE ...]
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from chromium import launch
from playwright.sync_api import sync_playwright


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def visit(folder: str, pages: list[str]) -> dict[str, object]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    failed: list[str] = []
    titles: dict[str, str] = {}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
        page.on("console", lambda message: failed.append(message.text) if message.type == "error" else None)
        for path in pages:
            page.goto(address + path, wait_until="networkidle")
            titles[path] = page.title()
            # Pictures further down load when they come into view: bring them all in.
            page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
            page.wait_for_function("[...document.images].every(image => image.complete)")
            empty = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
            failed += page.evaluate(empty)
        browser.close()
    server.shutdown()
    return {"interfaces": [name for _, name in socket.if_nameindex()], "failed": failed, "titles": titles}


if __name__ == "__main__":
    print(json.dumps(visit(sys.argv[1], sys.argv[2:])))
