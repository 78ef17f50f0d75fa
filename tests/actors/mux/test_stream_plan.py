"""Fates of streams: what goes where, what is converted, and what is refused before any work."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from actors.encode.segment_writer import encoding_for
from actors.media.container import opened
from actors.mux.mux_dry_run import MuxDryRun
from actors.mux.stream_plan import plan_deliverables
from actors.survey.surveyor import Surveyor
from jobs.errors import BadSpec
from jobs.records.deliverables import DeliverablePlan
from jobs.spec.codecs import Codec, Container, Drop
from jobs.spec.formats import Deliverable
from jobs.spec.streams import Droppable
from tests.actors.reels import dressed, spec_for
from tests.films import Recipe, remux

MKV = Deliverable(container=Container.MKV)
MP4 = Deliverable(container=Container.MP4)
FFV1 = Deliverable(codec=Codec.FFV1)
MXF = Deliverable(codec=Codec.PRORES, container=Container.MXF)
PNG = Deliverable(codec=Codec.PNG)


def plan(source: Path, deliverable: Deliverable, drop: Drop | tuple[Droppable, ...] = Drop.NOTHING) -> DeliverablePlan:
    """The plan of one deliverable of this source."""
    spec = spec_for(source, "store", Path("out"), deliverable, drop)
    (found,) = plan_deliverables(Surveyor(str(source)).film(), spec, str(source))
    return found


def fates(of: DeliverablePlan) -> list[tuple[str, str, str]]:
    """Kind, codec and fate of each stream."""
    return [(one.kind, one.codec, one.fate) for one in of.fates]


def with_attachment(path: Path, font: bytes = b"not really a font") -> Path:
    """An mkv with a font attached."""
    picture = Recipe(frames=4).make(path.with_name("plain.mkv"))
    with av.open(str(picture)) as media, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        out.add_attachment("font.ttf", "font/ttf", font)
        for packet in media.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
    return path


def with_cover(path: Path) -> Path:
    """A film with a cover picture beside it."""
    picture = Recipe(frames=4).make(path.with_name("plain.mkv"))
    cover = av.CodecContext.create("png", "w")
    assert isinstance(cover, av.VideoCodecContext)
    cover.width, cover.height, cover.pix_fmt, cover.time_base = 16, 16, "rgb24", Fraction(1)
    with av.open(str(picture)) as media, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        image = out.add_stream("png", rate=1)
        image.width, image.height, image.pix_fmt = 16, 16, "rgb24"
        image.disposition = av.stream.Disposition.attached_pic
        out.start_encoding()
        out.mux(image.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
        for packet in media.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
    return path


def test_h264_goes_into_mp4_where_all_fits(tmp_path: Path) -> None:
    found = plan(Recipe(frames=4, sound="aac").make(tmp_path / "a film.mkv"), Deliverable())
    assert found.container == "mp4"
    assert found.file == "a film.mp4"
    assert fates(found) == [("video", "h264", "picture"), ("audio", "aac", "copied")]


def test_ffv1_goes_into_mkv(tmp_path: Path) -> None:
    found = plan(Recipe(frames=4, sound="flac").make(tmp_path / "a.mkv"), FFV1)
    assert (found.container, found.encoding.pix_fmt) == ("mkv", "yuv420p")


@pytest.mark.parametrize(
    ("ending", "subtitles", "deliverable", "fate"),
    [
        ("mp4", "mov_text", MP4, "copied"),
        ("mp4", "mov_text", MKV, "converted"),
        ("mkv", "subrip", MKV, "copied"),
        ("mkv", "subrip", MP4, "converted"),
        ("mkv", "ass", MKV, "copied"),
        ("mkv", "ass", MP4, "converted"),
    ],
)
def test_text_subtitles_take_the_containers_own_form(
    tmp_path: Path, ending: str, subtitles: str, deliverable: Deliverable, fate: str
) -> None:
    plain = Recipe(frames=4).make(tmp_path / f"plain.{ending}")
    found = plan(dressed(plain, tmp_path / f"a.{ending}", subtitles=subtitles), deliverable)
    (one,) = [one for one in found.fates if one.kind == "subtitle"]
    assert one.fate == fate
    assert ("are lost" in one.detail) == (fate == "converted")


def test_time_code_and_chapter_tracks_are_written_anew(tmp_path: Path) -> None:
    plain = Recipe(frames=4, sound="aac").make(tmp_path / "plain.mp4")
    source = dressed(plain, tmp_path / "a.mp4", chapters=True, timecode="01:00:00:00")
    for deliverable in (MP4, MKV):
        found = plan(source, deliverable)
        assert [one.fate for one in found.fates] == ["picture", "copied", *["rewritten"] * 3]
        assert "01:00:00:00" in found.fates[3].detail
        assert (found.fates[4].kind, found.fates[4].detail) == ("chapters", "2 of them")


def test_an_attachment_sends_h264_into_mkv(tmp_path: Path) -> None:
    source = with_attachment(tmp_path / "a.mkv")
    assert plan(source, Deliverable()).container == "mkv"
    assert fates(plan(source, MKV))[1][0::2] == ("attachment", "copied")


def test_a_stream_that_does_not_fit_is_refused_by_name_or_dropped_by_the_users_word(tmp_path: Path) -> None:
    source = with_attachment(tmp_path / "a.mkv")
    with pytest.raises(
        BadSpec, match=r"stream 1 \(attachment, .*\) does not fit into mp4 \(.+\).*--drop unsupported.*container: mkv"
    ):
        plan(source, MP4)
    found = plan(source, MP4, Drop.UNSUPPORTED)
    assert found.fates[1].fate == "dropped"
    assert found.fates[1].detail


def test_a_cover_is_carried(tmp_path: Path) -> None:
    source = with_cover(tmp_path / "a.mp4")
    assert [one.fate for one in plan(source, MP4).fates] == ["picture", "copied"]


def test_a_clock_that_tells_the_time_of_day_begins_at_nought_in_the_deliverable(tmp_path: Path) -> None:
    late = Recipe(frames=12, rate=Fraction(25), start=25 * 7200)
    assert plan(late.make(tmp_path / "a.ts"), MP4).origin == 7200
    assert plan(late.make(tmp_path / "a.mp4"), MP4).origin == 0
    assert plan(Recipe(frames=12, start=25).make(tmp_path / "b.ts"), MP4).origin == 0


def test_several_deliverables_are_planned_in_one_reading(tmp_path: Path) -> None:
    source = Recipe(frames=4, sound="aac").make(tmp_path / "a.mp4")
    spec = spec_for(source, "store", tmp_path, MP4, Drop.NOTHING).model_copy(update={"deliverables": (MP4, FFV1)})
    found = plan_deliverables(Surveyor(str(source)).film(), spec, str(source))
    assert [one.file for one in found] == ["a.mp4", "a.mkv"]


# The user's word


def test_what_the_spec_lists_is_left_out_even_where_it_would_fit(tmp_path: Path) -> None:
    plain = Recipe(frames=4, sound="aac").make(tmp_path / "plain.mp4")
    source = dressed(plain, tmp_path / "a.mp4", subtitles="mov_text", chapters=True)
    by_number = plan(source, MP4, (1,))
    assert [one.fate for one in by_number.fates][:3] == ["picture", "dropped", "copied"]
    by_kind = plan(source, MP4, ("subtitle", "chapters"))
    assert [(one.kind, one.fate) for one in by_kind.fates if one.fate == "dropped"] == [
        ("subtitle", "dropped"),
        ("chapters", "dropped"),
    ]
    assert by_kind.fates[2].detail == "left out by the spec's word"


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "stream 0 of .* is the picture itself"), (7, r"has no stream 7; it has 0 \(video\), 1 \(audio\)")],
)
def test_a_list_that_names_no_stream_or_the_picture_is_refused(tmp_path: Path, number: int, said: str) -> None:
    source = Recipe(frames=4, sound="aac").make(tmp_path / "a.mp4")
    with pytest.raises(BadSpec, match=said):
        plan(source, MP4, (number,))


def test_a_deliverable_has_a_word_of_its_own(tmp_path: Path) -> None:
    source = with_attachment(tmp_path / "a.mkv")
    lax = Deliverable(container=Container.MP4, drop=("attachment",))
    assert plan(source, lax).fates[1].fate == "dropped"
    assert plan(source, Deliverable(container=Container.MKV), ("attachment",)).fates[1].fate == "dropped"
    with pytest.raises(BadSpec, match=r"stream 1 \(attachment"):
        plan(source, Deliverable(container=Container.MP4, drop=Drop.NOTHING), Drop.UNSUPPORTED)
    with pytest.raises(BadSpec, match=r"deliverable 1, drop: stream 0 of .* is the picture itself"):
        plan(source, Deliverable(drop=(0,)))
    spec = spec_for(source, "store", tmp_path, lax, Drop.NOTHING)
    both = spec.model_copy(update={"deliverables": (lax, Deliverable(name="b", container=Container.MP4))})
    with pytest.raises(BadSpec, match=r"deliverable 2: .*: stream 1 .* set drop: unsupported \(--drop unsupported\)"):
        plan_deliverables(Surveyor(str(source)).film(), both, str(source))


@pytest.mark.parametrize(("code", "number"), [("01:00:00:00", 90_000), ("00:00:10:05", 255)])
def test_pictures_are_numbered_from_where_the_spec_says(tmp_path: Path, code: str, number: int) -> None:
    source = dressed(Recipe(frames=4, rate=Fraction(25)).make(tmp_path / "a.mp4"), tmp_path / "b.mov", timecode=code)
    assert plan(source, Deliverable(codec=Codec.DPX)).start_number == 0
    assert plan(source, Deliverable(codec=Codec.DPX, start_number=1001)).start_number == 1001
    assert plan(source, Deliverable(codec=Codec.DPX, start_number="timecode")).start_number == number


def test_a_film_without_time_code_gives_no_start_number(tmp_path: Path) -> None:
    source = Recipe(frames=4).make(tmp_path / "a.mp4")
    with pytest.raises(BadSpec, match=r"it has none: set start_number: 1001\.$"):
        plan(source, Deliverable(codec=Codec.DPX, start_number="timecode"))


def test_a_kind_that_is_not_there_may_be_listed(tmp_path: Path) -> None:
    source = Recipe(frames=4, sound="aac").make(tmp_path / "a.mp4")
    assert fates(plan(source, MP4, ("data", "captions"))) == fates(plan(source, MP4))


def test_a_list_allows_what_it_names_and_no_more(tmp_path: Path) -> None:
    source = with_attachment(tmp_path / "a.mkv")
    assert plan(source, MP4, ("attachment",)).fates[1].fate == "dropped"
    with pytest.raises(BadSpec, match=r"stream 1 \(attachment"):
        plan(source, MP4, ("subtitle",))


# What is no stream of its own


def captioned(folder: Path) -> Path:
    """A film whose every H.264 packet carries closed captions, in a message before its picture (ATSC A/53 part 4)."""
    words = b"".join(bytes([0xFC, one, two]) for one, two in ((0x94, 0x2C), (0xC8, 0xE9)))
    user = b"\xb5\x00\x31GA94\x03" + bytes([0xC0 | 2, 0xFF]) + words + b"\xff"
    message = b"\x06\x04" + bytes([len(user)]) + user + b"\x80"
    plain = Recipe(frames=8, b_frames=0).make(folder / "plain.mkv")
    return remux(plain, folder / "a.mkv", lambda _, data: len(message).to_bytes(4, "big") + message + data)


def test_captions_in_the_picture_are_not_lost_unsaid(tmp_path: Path) -> None:
    source = captioned(tmp_path)
    assert Surveyor(str(source)).film().captions
    with pytest.raises(
        BadSpec, match=r"stream 0 \(captions, eia_608\): its closed captions would be lost.*\[captions\]"
    ):
        plan(source, MP4)
    for drop in (Drop.UNSUPPORTED, ("captions",)):
        assert plan(source, MP4, drop).fates[1].fate == "dropped"
    assert not Surveyor(str(tmp_path / "plain.mkv")).film().captions


def test_chapters_are_dropped_by_word_only(tmp_path: Path) -> None:
    plain = Recipe(frames=4, size=(64, 48)).make(tmp_path / "plain.mp4")
    source = dressed(plain, tmp_path / "a.mkv", chapters=True)
    assert plan(source, MKV).fates[-1].detail == "2 of them"
    with pytest.raises(BadSpec, match=r"\(chapters\) does not fit into mxf"):
        plan(source, MXF)
    assert plan(source, MXF, ("chapters",)).fates[-1].fate == "dropped"


# MXF and folders


@pytest.mark.parametrize(
    ("ending", "sound", "said"),
    [("mp4", "aac", "pcm_s16le or pcm_s24le only"), ("mov", "pcm_s16be", "pcm_s16le or pcm_s24le only")],
)
def test_mxf_holds_plain_sound_only(tmp_path: Path, ending: str, sound: str, said: str) -> None:
    source = Recipe(frames=4, sound=sound).make(tmp_path / f"a.{ending}")
    with pytest.raises(
        BadSpec, match=rf"stream 1 \(audio, {sound}\) does not fit into mxf \(mxf holds sound as {said}"
    ):
        plan(source, MXF)
    assert plan(source, MXF, Drop.UNSUPPORTED).fates[1].fate == "dropped"


def test_a_folder_of_pictures_holds_nothing_else(tmp_path: Path) -> None:
    source = Recipe(frames=4, sound="aac").make(tmp_path / "a.mp4")
    with pytest.raises(BadSpec, match=r"does not fit into folder \(a folder of pictures holds no sound"):
        plan(source, PNG)
    found = plan(source, PNG, ("audio",))
    assert (found.container, found.file, fates(found)[1][2]) == ("folder", "a", "dropped")
    untold = "titles, tags and time code have no place in a folder of pictures"
    assert found.fates[0].detail.endswith(untold)
    dpx = plan(source, Deliverable(codec=Codec.DPX), ("audio",))
    told = "titles and tags have no place in a folder of pictures; dpx does not say its primaries and transfer curve"
    assert dpx.fates[0].detail.endswith(told)


def test_a_time_code_track_stops_no_folder_of_pictures(tmp_path: Path) -> None:
    source = dressed(Recipe(frames=4).make(tmp_path / "a.mp4"), tmp_path / "b.mov", timecode="01:00:00:00")
    said = {codec: plan(source, Deliverable(codec=codec)).fates[1] for codec in (Codec.DPX, Codec.PNG)}
    assert {one.fate for one in said.values()} == {"rewritten"}
    assert said[Codec.DPX].detail == "time code 01:00:00:00: in every picture's header"
    assert said[Codec.PNG].detail == "time code 01:00:00:00: told by the report alone"


def test_what_becomes_of_the_picture_is_said(tmp_path: Path) -> None:
    source = Recipe(frames=4).make(tmp_path / "a.mp4")
    said = plan(source, MXF).fates[0].detail
    assert said == (
        "4:2:0 of 8 bit is brought to 4:2:2 of 10 bit; titles and tags have no place in mxf; where the output is S3, the file "
        "is first put together on the worker's own disk (TMPDIR)"
    )
    assert plan(source, FFV1).fates[0].detail == ""


def test_a_picture_that_the_container_refuses_is_named(tmp_path: Path) -> None:
    source = Recipe(frames=4, rate=Fraction(25)).make(tmp_path / "a.mp4")
    film = Surveyor(str(source)).film()
    slow = encoding_for(film, MXF, False).model_copy(update={"rate": Fraction(11)})
    with opened(str(source)) as media:
        trial = MuxDryRun(film, media, slow, Drop.NOTHING)
        with pytest.raises(BadSpec, match=r"the picture as prores cannot be written into mxf \(.*frame rate"):
            trial.fates("mxf")
