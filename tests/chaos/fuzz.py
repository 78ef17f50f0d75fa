"""Specs from outside, made up by hypothesis: any values, valid specs gone wrong, texts gone wrong, and specs that make sense. Promises the same ones for the same seed, and an outcome in words for each."""

import copy
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from farm.specs.spec_files import read_spec
from jobs.digest import canonical
from jobs.errors import BadInput
from jobs.spec.codecs import CONTAINERS, DEPTHS, PROFILES, Codec
from jobs.spec.job import JobSpec
from jobs.spec.parser import parse_spec
from tests.chaos.damage import carried
from tests.films import Recipe

SECRET = "Te11Ta1e"
"""Stands in every password of these specs, and in no sentence about them."""
SECONDS = 20
"""That any text may take to be refused or understood, on the busiest machine."""
LONGEST = 9000
"""Characters of a sentence: eight faults of long values."""
WHOLE: dict[str, Any] = {
    "version": 1,
    "name": "film",
    "source": "shots/f.%04d.dpx",
    "rate": "24000/1001",
    "store": "s3://bucket/store",
    "output": "file:///out",
    "look": {"name": "colorize", "settings": {"strength": 0.5, "looks": [{"name": "none"}]}},
    "shots": {"detect": "adaptive", "threshold": 2.5, "min_frames": 4},
    "overrides": [
        {"shots": "3-5", "look": {"name": "none"}},
        {"frames": ["01:00:10:00", 900], "look": {"name": "./looks/painter", "settings": {}}},
    ],
    "chunk_seconds": 2.0,
    "workers": {"count": 2, "gpus": 0.5, "cpus": 1, "memory_gib": 4, "attempts": 2, "losses": 3},
    "deliverables": [{"codec": "ffv1", "name": "master"}, {"codec": "hevc", "depth": 10, "height": 720, "crf": 12}],
    "drop": [3, "subtitle"],
    "video": 1,
    "deinterlace": "bwdif",
    "on_error": "hold",
}
"""A spec in which every field is set."""

awkward = st.sampled_from([
    f"s3://user:{SECRET}@bucket/key", f"http://{SECRET}@host/a", f"s3://K:{SECRET}/a+{SECRET}=@b/c", "../../etc/passwd",
    "a\nb", "\x1b[31m", "\0", "\ud800", "%n%s%0999999d", "f.%99999999999d.dpx", "f.####%d#.dpx?rate=1?rate=2", "~root/x",
    "file://host/x", "file:///%00", "s3://", "//" + ":" * 2000 + "@", "9" * 4000, "٣", "1/3", "10:00:00:99", "9" * 30 + ":00:00.1",
    "", " ", ".", "..", "/", "a" * 5000, 10**400, -1, 0, 2**63, 1e308, 5e-324, -0.0, float("nan"), float("inf"), True, None,
])  # fmt: skip
values = st.recursive(
    st.one_of(awkward, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.text(max_size=12), awkward), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Anything that YAML could give."""
snippets = st.sampled_from([
    "&a ", "*a", "<<: *a\n", "<<: [*a, *a]\n", "!!python/name:os.system ", "!!int ", "!!bool ", "!!float ", "!!binary ", "!!timestamp ",
    "!!set ", "!!omap ", "!<x>", "!%0A", "%YAML 9.9\n", "---\n", "...\n", "? ", "[", "{", "]", "}", "\t", "\n", "\0", "\x85", "\u2028", "#",
    "|\n", ">9\n", "'", '"', "\\", '"\\u0000"', '"\\ud800"', "name: x\n", "2001-99-99", "0x" + "f" * 5000, "1" * 5000, "1_0", "0o9", "1e999",
    "- " * 400, "[" * 2000, ".nan", "~", "=", "@", "`",
])  # fmt: skip


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A valid spec in which one to three places hold something else, are gone, or have company."""
    spec = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(1, 3))):
        inside: Any = spec
        while True:
            names: list[Any] = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not names:
                break
            name = draw(st.sampled_from(names))
            if isinstance(inside[name], dict | list) and draw(st.booleans()):
                inside = inside[name]
                continue
            how = draw(st.sampled_from(["other", "other", "gone", "more"]))
            if how == "gone":
                del inside[name]
            elif how == "more" and isinstance(inside, dict):
                inside[draw(st.text(min_size=1, max_size=12))] = draw(values)
            else:
                inside[name] = draw(values)
            break
    return spec


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, str]:
    """The text of a spec with pieces cut out and put in, and the ending of its name."""
    ending = draw(st.sampled_from(["yaml", "json"]))
    text = json.dumps(WHOLE, indent=1) if ending == "json" else yaml.safe_dump(WHOLE)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(snippets) + text[at + draw(st.sampled_from([0, 0, 1, 9])) :]
    return text, ending


@st.composite
def sensible(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of a spec that may be refused for what the film is, and for nothing else."""
    look = st.sampled_from([
        {"name": "none"}, {"name": "test-negative"}, {"name": "test-window", "settings": {"radius": 2, "declared": 2}},
        {"name": "test-drift"}, {"name": "blend", "settings": {"looks": [{"name": "none"}, {"name": "test-negative"}]}},
    ])  # fmt: skip
    mark = st.one_of(st.integers(0, 40), st.sampled_from(["00:00:00:12", "00:00:00.5", "00:00:01:00", "99:00:00.0"]))
    overrides = st.one_of(
        st.fixed_dictionaries({"shots": st.sampled_from(["1", "2", "1-2", "7"]), "look": look}),
        st.fixed_dictionaries({"frames": st.tuples(mark, mark), "look": look}),
    )
    shots = st.one_of(
        st.just({"file": "cuts.csv"}),
        st.fixed_dictionaries({"threshold": st.floats(0.5, 5), "min_frames": st.integers(1, 30)}),
    )
    fields = {
        "look": look,
        "shots": shots,
        "chunk_seconds": st.floats(0.2, 2),
        "deliverables": st.lists(deliverables(), min_size=1, max_size=2),
        "drop": st.sampled_from(["nothing", "unsupported", ["audio"], [1], [9]]),
        "on_error": st.sampled_from(["fail", "passthrough", "hold"]),
    }
    others = {
        "overrides": st.lists(overrides, max_size=3),
        "video": st.sampled_from([0, 0, 0, 1, 2]),
        "deinterlace": st.just("bwdif"),
    }
    return draw(st.fixed_dictionaries(fields, optional=others))


@st.composite
def deliverables(draw: st.DrawFn) -> dict[str, Any]:
    """One deliverable that its codec allows."""
    codec = draw(st.sampled_from(Codec))
    may = {
        "container": st.sampled_from(CONTAINERS[codec]),
        "profile": st.sampled_from(PROFILES.get(codec, ("",))),
        "depth": st.sampled_from(DEPTHS.get(codec, (8,))),
        "height": st.integers(16, 130),
        "crf": st.integers(0, 51),
        "preset": st.sampled_from(["ultrafast", "medium"]),
        "encoder": st.sampled_from(["software", "software", "software", "nvenc"]),
    }
    for name, given_for in (("profile", PROFILES), ("depth", DEPTHS)):
        if codec not in given_for:
            del may[name]
    name = draw(st.text("abc ._-()", min_size=1, max_size=8))
    drawn = draw(st.fixed_dictionaries({}, optional=may))
    if drawn.get("container") == "hls":  # h264 of 10 bits is for other containers
        drawn.pop("depth", None)
    return {"codec": codec.value, "name": f"x{name}", **drawn}


def understood(read: Callable[[], JobSpec]) -> str:
    """`spec` or `refused`; anything else is a fault of the farm, and so is what took too long."""
    began = time.monotonic()
    try:
        spec = read()
        said = "spec" if JobSpec.model_validate_json(canonical(spec)) == spec else f"not kept as it was: {spec}"
    except BadInput as error:
        said = "refused" if _is_a_sentence(str(error)) else f"no sentence: {error}"
    return said if time.monotonic() - began < SECONDS else f"took {time.monotonic() - began:.0f} s"


def _is_a_sentence(said: str) -> bool:
    return said.isprintable() and len(said) < LONGEST and SECRET not in said


class Fuzz:
    """Shows the farm so many specs of each kind, and counts what it says."""

    def __init__(self, folder: Path, number: int = 0) -> None:
        """`number`: of the seed."""
        self.folder, self.number = folder, number
        self.said: Counter[str] = Counter()
        (folder / "cuts.csv").write_text("Scene Number,Start Frame\n1,1\n2,13\n")

    def values(self, examples: int) -> None:
        """Any values, and specs with wrong values."""
        self._shown(
            st.one_of(values, changed(), changed()), examples, lambda one: understood(lambda: parse_spec(one, "spec"))
        )

    def texts(self, examples: int) -> None:
        """Files whose text was spoilt."""
        self._shown(spoilt(), examples, self._text)

    def films(self, examples: int) -> None:
        """Films by sensible specs: refused in a sentence, or delivered in full length."""
        film = Recipe(frames=24, size=(96, 64), gop=8, sound="aac").make(self.folder / "film.mp4")

        def carry(fields: dict[str, Any]) -> str:
            with tempfile.TemporaryDirectory(dir=self.folder) as here:
                places = {"name": "film", "source": str(film), "store": f"{here}/store", "output": f"{here}/out"}
                shots = {"file": str(self.folder / "cuts.csv")} if "file" in fields["shots"] else fields["shots"]
                try:
                    spec = parse_spec({**places, **fields, "shots": shots}, "spec")
                except BadInput as error:
                    return f"refused: {error}"
                return carried(spec)

        self._shown(sensible(), examples, carry)

    def _text(self, one: tuple[str, str]) -> str:
        place = self.folder / f"spec.{one[1]}"
        place.write_bytes(one[0].encode("utf-8", "surrogatepass"))
        return understood(lambda: read_spec(str(place)))

    def _shown(self, what: st.SearchStrategy[Any], examples: int, show: Callable[[Any], str]) -> None:
        @seed(self.number)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(what)
        def shown(one: Any) -> None:
            said = show(one)
            assert said.startswith(("refused", "delivered", "spec")), said
            self.said[said.partition(":")[0]] += 1

        shown()
