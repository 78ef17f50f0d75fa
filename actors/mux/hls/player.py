"""The web page that plays a review stream in a browser while it grows. It needs no file but the stream's own.

By Media Source Extensions (W3C), which every browser for desks has: unlike a browser's own HLS it begins at the film's first
frame while the film grows, and tells how far it is. Where there are none (iPhones) the browser's own HLS plays. Only what is
looked at is fetched, so that a long film fits into a browser's memory.

Other pages include `PLAYER`, which plays the playlist at the relative place `stream`; `instead` is a film to be played
where that cannot be, or empty.
"""

from actors.page_templates import PAGES

PLAYER = "actors/mux/hls/player.html.j2"


def page(name: str) -> bytes:
    """The page of a review stream called `name`, to lie beside its playlist."""
    return PAGES.get_template("actors/mux/hls/stream_page.html.j2").render(title=name).encode()
