"""The few icons of the site's chrome, drawn here so that no icon font or script has to be loaded."""

from __future__ import annotations

from collections.abc import Iterable

# Outlines on 24 by 24 units, one stroke width, no fill; keyed by the name that the theme uses.
_OUTLINES = {
    "bars": '<path d="M4 6h16M4 12h16M4 18h16"/>',
    "list": '<path d="M9 6h11M9 12h11M9 18h11M4 6h.5M4 12h.5M4 18h.5"/>',
    "magnifying-glass": '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5L21 21"/>',
    "sun": (
        '<circle cx="12" cy="12" r="4"/>'
        '<path d="M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2"/>'
    ),
    "moon": '<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>',
    "circle-half-stroke": (
        '<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5v17a8.5 8.5 0 0 0 0-17z" fill="currentColor"/>'
    ),
    "angle-left": '<path d="M14.5 5l-7 7 7 7"/>',
    "angle-right": '<path d="M9.5 5l7 7-7 7"/>',
    "chevron-down": '<path d="M5 9l7 7 7-7"/>',
    "chevron-right": '<path d="M9 5l7 7-7 7"/>',
    "arrow-up": '<path d="M12 20V4M5 11l7-7 7 7"/>',
    "download": '<path d="M12 3v12M6.5 10l5.5 5.5L17.5 10M4 20.5h16"/>',
    "rocket": '<path d="M7 4.5h12.5V17M19.5 4.5L5 19"/>',
    "code": '<path d="M8 6l-6 6 6 6M16 6l6 6-6 6"/>',
    "file": '<path d="M6 3h8l5 5v13H6zM14 3v5h5"/>',
    "xmark": '<path d="M5 5l14 14M19 5L5 19"/>',
    "link": (
        '<path d="M10 14l4-4M8.5 11L6 13.5a3.5 3.5 0 0 0 5 5l2-2M15.5 13l2.5-2.5a3.5 3.5 0 0 0-5-5l-2 2"/>'
    ),
}
_SAME = {"file-pdf": "file", "expand": "rocket", "outdent": "list", "arrow-right": "angle-right"}
_UNKNOWN = '<circle cx="12" cy="12" r="2"/>'


def icon(classes: Iterable[str]) -> str:
    """Return the inline SVG for an element that the theme gave Font Awesome's classes."""
    for css_class in classes:
        name = css_class.removeprefix("fa-")
        name = _SAME.get(name, name)
        if name in _OUTLINES:
            outline = _OUTLINES[name]
            break
    else:
        outline = _UNKNOWN
    return f'<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">{outline}</svg>'
