"""The HTML page of `farm proof`: a row of stills for each shot, looks side by side, in one file without server, network or script."""

from actors.page_templates import PAGES
from jobs.film.timecode import FrameTimecodes
from jobs.records.stills import Proof


def page(proof: Proof, names: FrameTimecodes) -> str:
    """The page, for the output's folder `proof`."""
    template = PAGES.get_template("farm/contact_sheets/page.html.j2")
    return template.render(proof=proof, names=names, beside=_beside, zip=zip)


def _beside(key: str) -> str:
    return key.partition("/")[2]
