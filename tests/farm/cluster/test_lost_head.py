"""A cluster whose head is lost in mid-film: one sentence, and the end of the logbook. A real head, whose GCS is killed; and the heartbeat alone."""

from __future__ import annotations

import os
import threading
from _thread import interrupt_main
from pathlib import Path

import pytest

from farm.cluster.heartbeat import MISSED, Heartbeat
from farm.specs.spec_files import read_spec
from jobs.errors import FilmFailed
from jobs.ledger.driver_log import last_log
from jobs.ledger.ledger import Ledger
from tests.actors.training.albums import album
from tests.actors.training.albums import recipe as recipe_of
from tests.farm.head import RayHead
from tests.farm.shell import Running, farm, segments
from tests.farm.studio import spec_of
from tests.films import Recipe


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_a_lost_head_ends_the_film_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = Recipe(frames=220, size=(96, 64)).make(tmp_path / "film.mp4")
    look = {"name": "test-window", "settings": {"radius": 200, "declared": 200}}
    spec = spec_of(film, tmp_path, look=look, chunk_seconds=0.2, workers={"count": 1})
    (tmp_path / "job.json").write_text(spec.model_dump_json())
    with RayHead({}) as head:
        monkeypatch.setenv("RAY_AUTH_MODE", "token")
        monkeypatch.setenv("RAY_AUTH_TOKEN", "ab" * 32)
        refused = farm("render", tmp_path / "job.json", "--address", head.address)
        assert refused.code == 2
        assert "no Ray cluster could be joined there" in refused.sentence
        assert "authentication is 'token' here" in refused.sentence
        monkeypatch.setenv("RAY_AUTH_TOKEN", head.token)
        with Running(tmp_path, "render", tmp_path / "job.json", "--address", head.address) as render:
            render.until(lambda: segments(tmp_path / "store") >= 1)
            head.kill_gcs()
            said = render.said()
            assert said.code == 1, said.err
            assert said.sentence.startswith(f"The head of the Ray cluster at {head.address} has not answered for 30 s")
            assert said.sentence.endswith(
                "Finished work is kept; once there is a cluster again, the same command resumes from here."
            )
    spec = read_spec(str(tmp_path / "job.json"))
    log = last_log(Ledger.at(spec.store, spec.name))
    assert log is not None
    assert log.exit_code == 1
    assert "has not answered for 30 s" in log.lines[-2]


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_a_lost_head_ends_a_training_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "halt").write_text("50")
    recipe = recipe_of(album(tmp_path / "photos"), tmp_path / "out", course={"halt": str(tmp_path / "halt")})
    (tmp_path / "recipe.json").write_text(recipe.model_dump_json())
    with RayHead({}) as head:
        monkeypatch.setenv("RAY_AUTH_MODE", "token")
        monkeypatch.setenv("RAY_AUTH_TOKEN", head.token)
        with Running(tmp_path, "train", tmp_path / "recipe.json", "--address", head.address) as training:
            training.until((tmp_path / "out/checkpoints/step-0000020.json").exists)
            head.kill_gcs()
            said = training.said()
            assert said.code == 1, said.err
            assert said.sentence.startswith(f"The head of the Ray cluster at {head.address} has not answered for 30 s")


class Head:
    """Answers, or does not."""

    def __init__(self) -> None:
        self.there, self.asked = True, 0
        self._asked = threading.Condition()

    def __call__(self) -> None:
        with self._asked:
            self.asked += 1
            self._asked.notify_all()
        if not self.there:
            raise TimeoutError

    def until(self, asked: int) -> None:
        with self._asked:
            assert self._asked.wait_for(lambda: self.asked >= asked, 60)


def test_some_missed_answers_are_forgiven_and_a_question_is_not_waited_for_without_end() -> None:
    head = Head()
    beat = Heartbeat(head, "The head", pause=0.05)
    try:
        head.until(2)
        assert beat.asked(lambda: 7) == 7
        head.there = False
        head.until(head.asked + 2)
        assert beat.missed
        beat.check()
        head.there = True
        head.until(head.asked + 2)
        assert not beat.missed
        head.there = False
        never = threading.Event()
        with pytest.raises(FilmFailed, match="The head has not answered"):
            beat.asked(never.wait)
        assert beat.lost
        assert head.asked >= MISSED
        never.set()
    finally:
        beat.end()


def test_what_a_question_raises_comes_back() -> None:
    beat = Heartbeat(Head(), "The head")
    with pytest.raises(LookupError):
        beat.asked(lambda: os.environ["NO_SUCH_VARIABLE"])
    beat.end()


def test_no_question_is_in_flight_once_it_has_ended() -> None:
    asked, may_answer, answered = threading.Event(), threading.Event(), threading.Event()

    def ask() -> None:
        asked.set()
        assert may_answer.wait(60)
        answered.set()

    beat = Heartbeat(ask, "The head", pause=0.0)
    assert asked.wait(60)
    threading.Timer(0.2, may_answer.set).start()
    beat.end()
    assert answered.is_set()


def test_a_question_is_waited_for_whose_asker_was_interrupted() -> None:
    may_answer, answered = threading.Event(), threading.Event()

    def question() -> None:
        interrupt_main()
        assert may_answer.wait(60)
        answered.set()

    beat = Heartbeat(Head(), "The head")
    with pytest.raises(KeyboardInterrupt):
        beat.asked(question)
    threading.Timer(0.2, may_answer.set).start()
    beat.end()
    assert answered.is_set()
