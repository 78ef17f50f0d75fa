"""Small pieces of paper for tests: a picture, a film. Promises plausible values; reads nothing."""

from fractions import Fraction

import av

from jobs.film.source import Colour, Film, Picture, SourceIdentity
from jobs.records.orders import Encoding
from jobs.records.report import FilmReport
from jobs.spec.codecs import Codec


def picture_of(pix_fmt: str, width: int = 50, height: int = 38, *, full: bool = False) -> Picture:
    """A BT.709 picture of 24 frames a second in this pixel format."""
    return Picture(
        stream=0,
        codec="h264",
        width=width,
        height=height,
        stored=pix_fmt,
        pix_fmt=pix_fmt,
        depth=av.VideoFormat(pix_fmt).components[0].bits,
        time_base=Fraction(1, 24),
        rate=Fraction(24),
        aspect=Fraction(1),
        rotation=0,
        colour=Colour(matrix="bt709", full_range=full, primaries=1, transfer=1, space=1, assumed=False),
    )


def film_of(picture: Picture, source: str = "/films/a.mp4") -> Film:
    """A silent film with this picture."""
    return Film(
        source=source, identity=SourceIdentity(bytes=1, version="1", ends_sha256="00"), format="mp4", picture=picture
    )


def encoding_of(
    film: Picture, pix_fmt: str, size: tuple[int, int] | None = None, *, full: bool | None = None
) -> Encoding:
    """FFV1 in this pixel format, of this width and height and range: by default the film's own."""
    width, height = size or (film.width, film.height)
    changes = {} if full is None else {"full_range": full}
    return Encoding(
        codec=Codec.FFV1,
        encoder="ffv1",
        library="ffv1",
        width=width,
        height=height,
        pix_fmt=pix_fmt,
        rate=film.rate,
        time_base=1 / film.rate,
        aspect=film.aspect,
        colour=film.colour.model_copy(update=changes),
        options={"level": "3"},
        threads=1,
        reorder=0,
    )


def report_of(spec: str, *, conforms: bool = True) -> FilmReport:
    """The report of a film made by the spec of this digest."""
    return FilmReport(
        name="film", spec=spec, source="/films/a.mp4", conforms=conforms, frames=1, shots=1, chunks=1, seams=0,
        extra_frames_percent=0.0, chunks_rendered=1, retries=0, made_on=(), deliverables=(),
    )  # fmt: skip
