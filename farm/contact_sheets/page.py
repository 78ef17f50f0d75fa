"""The page of `farm proof`: one HTML file over the stills, shots below one another, looks side by side; without a server, a network or a script."""

from actors.page_templates import PAGES
from jobs.film.timecode import FrameTimecodes
from jobs.records.stills import Proof


def page(proof: Proof, names: FrameTimecodes) -> str:
    """The page, for the output's folder `proof`."""
    template = PAGES.get_template("farm/contact_sheets/page.html.j2")
    return template.render(proof=proof, names=names, beside=_beside, zip=zip)


def _beside(key: str) -> str:
    return key.partition("/")[2]
