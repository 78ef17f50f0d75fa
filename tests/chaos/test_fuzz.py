"""Some of the specs of `make chaos`: whatever a spec says, it is understood or refused in one sentence, and a film by it is refused or whole."""

from pathlib import Path

from tests.chaos.fuzz import Fuzz


def test_any_values(tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path)
    fuzz.values(300)
    assert fuzz.said["refused"] > 50
    assert fuzz.said["spec"] > 5


def test_spoilt_texts(tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path)
    fuzz.texts(100)
    assert fuzz.said["refused"] > 50


def test_films_by_sensible_specs(tmp_path: Path) -> None:
    fuzz = Fuzz(tmp_path)
    fuzz.films(10)
    assert fuzz.said["delivered"] > 2
