"""`farm doctor`: stores are tried for real and left as they were, each failure is a line with its sentence, and no credentials are shown."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from actors.encode.installed import ENCODERS, missing_codecs
from farm.cli.app import app
from farm.ops.store_check import clock_of, tried_store
from farm.specs.starter_spec import write_starter
from jobs.errors import BadStore
from jobs.spec.codecs import Codec
from jobs.store import FolderStore, open_store
from tests.s3 import MotoServer


def checked(*words: object) -> tuple[int, dict[str, list[Any]]]:
    """Exit code and findings by what was looked at."""
    done = CliRunner().invoke(app, ["doctor", "--json", *map(str, words)])
    found: dict[str, list[Any]] = {}
    for line in json.loads(done.stdout):
        found.setdefault(line["what"], []).append(line)
    return done.exit_code, found


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    tried = tried_store(str(tmp_path / "new/store"))
    assert f"{tmp_path}/new/store can be worked in: writing once and linking work; " in tried.found
    assert "its clock is this machine's" in tried.found
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").write_text("mine")
    tried_store(str(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    with pytest.raises(BadStore, match="choose a folder"):
        tried_store(str(tmp_path / "kept/store"))


def test_a_bucket_is_tried_and_left_as_it_was(s3_bucket: str, s3_server: MotoServer) -> None:
    tried = tried_store(f"s3://{s3_bucket}/work")
    assert "conditional writes, multipart uploads, reading in ranges, listings and copies work" in tried.found
    assert tried.advice == ""
    store = open_store(f"s3://{s3_bucket}")
    assert (list(store.list("")), list(store.unfinished(""))) == ([], [])


def test_a_wrong_clock_is_told(tmp_path: Path) -> None:
    class Ahead(FolderStore):
        def clock(self) -> float:
            return time.time() + 5000

    said, advice = clock_of(Ahead(tmp_path))
    assert said == "its clock is 5,000 s ahead"
    assert "NTP" in advice


def test_each_failure_is_a_line_and_no_credentials_are_shown(
    s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-shown")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "not-to-be-shown" * 3)
    write_starter(spec := tmp_path / "job.yaml")
    monkeypatch.chdir(tmp_path)
    code, found = checked(spec, f"s3://{s3_bucket}/a", "s3://absent", "--address", "127.0.0.1:1")
    assert code == 2
    assert [line["verdict"] for line in found["store"]] == ["ok", "ok", "ok", "fail"]
    assert "no Ray cluster could be joined there" in found["ray"][0]["found"]
    assert {name: found[name][0]["verdict"] for name in ("machine", "codecs", "onnx")} == dict.fromkeys(
        ("machine", "codecs", "onnx"), "ok"
    )
    assert "not-to-be-shown" not in json.dumps(found)
    assert {each.name for each in tmp_path.iterdir()} == {"job.yaml", "job.schema.json"}


def test_every_codec_of_a_spec_is_looked_for() -> None:
    assert set(ENCODERS) == set(Codec)
    assert missing_codecs() == []
