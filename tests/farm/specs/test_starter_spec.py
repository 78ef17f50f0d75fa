"""The spec that `farm init` writes: valid as it is, and with every option in it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from farm.cli.app import app
from farm.specs.spec_files import read_spec
from farm.specs.starter_spec import write_starter
from jobs.errors import BadSpec, BadStore


def test_what_is_written_is_a_spec_with_and_without_its_options(tmp_path: Path) -> None:
    place = tmp_path / "new/job.yaml"
    schema = json.loads(write_starter(place).read_text(encoding="utf-8"))
    text = place.read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=job.schema.json"
    assert [one.codec for one in read_spec(str(place)).deliverables] == ["h264"]
    full = text.replace("#-rate: 24", "").replace("#-", "")
    place.write_text(full, encoding="utf-8")
    spec = read_spec(str(place))
    assert len(spec.deliverables) == 4
    assert len(spec.overrides) == 3
    assert spec.model_fields_set >= {"drop", "on_error", "workers", "cost", "stills", "deinterlace"}
    jsonschema.validate(yaml.safe_load(full), schema)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "job.yaml"
    place.write_text("mine", encoding="utf-8")
    with pytest.raises(BadSpec, match="is there already and stays as it is; give another name"):
        write_starter(place)
    assert [one.name for one in tmp_path.iterdir()] == ["job.yaml"]
    assert place.read_text(encoding="utf-8") == "mine"
    with pytest.raises(BadSpec, match=r"ends in \.yaml or \.yml"):
        write_starter(tmp_path / "job.txt")
    with pytest.raises(BadStore, match="cannot be written"):
        write_starter(place / "job.yaml")


def test_the_command_says_what_to_do_next(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job.yaml")])
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"farm plan {tmp_path}/job.yaml" in done.stderr


@pytest.mark.parametrize("command", ["render", "plan", "looks", "status", "schema", "init"])
def test_help_and_version(command: str) -> None:
    short, long = (CliRunner().invoke(app, [command, option]) for option in ("-h", "--help"))
    assert (short.exit_code, short.stdout) == (0, long.stdout)
    version = CliRunner().invoke(app, ["--version"])
    assert (version.exit_code, version.stdout.split()[0]) == (0, "farm")
