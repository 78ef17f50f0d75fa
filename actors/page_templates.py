"""HTML templates that lie beside the modules that fill them, named by their path: "farm/film/review/index.html.j2"."""

from html import escape
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def _source(name: str) -> str:
    package, _, file = name.rpartition("/")
    return files(package.replace("/", ".")).joinpath(file).read_text(encoding="utf-8")


def _escaped(value: object) -> object:
    # As Python writes quotes, on pages that are there already and on those made anew: &#x27; where markupsafe has &#39;.
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


PAGES = Environment(
    loader=FunctionLoader(_source),
    autoescape=True,
    finalize=_escaped,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
