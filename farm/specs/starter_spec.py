"""The job spec that `farm init` writes to begin with, its fields explained, and the schema with which an editor completes and checks it."""

import json
from pathlib import Path

from jobs.errors import BadSpec, BadStore
from jobs.spec.job import JobSpec

TEXT = """\
# yaml-language-server: $schema={schema}
# A job for the film farm. Lines that begin with "#-" are options: remove the "#-" to use them. `farm schema` explains every field.
# Check it with `farm plan {name}`, which renders nothing; then `farm render {name}`.
version: 1
name: my-film                      # any printable name; the same name in the same store goes on with the same job
source: film.mov                   # a path or s3://bucket/key; an image sequence as shots/f.%04d.dpx, with its rate
#-rate: 24                           # frames per second, of an image sequence only
#-deinterlace: bwdif                 # for an interlaced source
store: delivered/store             # where work in progress is kept: a folder or s3://bucket/prefix
output: delivered                  # where deliverables, report and review page go
look: {{name: colorize}}             # `farm looks` lists looks and their settings
#-stills: painted                    # a folder of coloured frames, exported by `farm stills`; their colours are propagated
#-controls: {{saturation: 0.9, hue: {{skin: {{shift: -4}}}}}}   # after the look; a change propagates nothing again
#-grade: {{cdl: day.cc, lut: show.cube}}   # then an ASC CDL and a LUT
#-gamut: hold                        # chroma within the legal gamut (EBU R103)
#-overrides:                         # other looks or settings for some shots or frames
#-  - {{shots: 3-5, look: {{name: colorize, settings: {{saturation: 0.7}}}}}}
#-  - {{frames: [0, 24], look: {{name: none}}}}   # or time codes: [10:00:00:00, 10:00:01:00]
#-  - {{shots: 9, locked: true}}         # approved: stays as it was rendered
deliverables:
  - {{codec: h264}}                    # for viewing
#-  - {{codec: prores, profile: hq, name: my-film-edit}}
#-  - {{codec: ffv1, name: my-film-master}}       # lossless
#-  - {{codec: dpx, name: my-film-frames, start_number: 1001, drop: unsupported}}
#-drop: unsupported                  # streams that a container cannot hold may be left out
#-on_error: passthrough              # a chunk that cannot be rendered shows the source's own frames
#-workers: {{count: 8}}                # most renderers at a time
#-cost: {{currency: EUR, gpu_hour: 1.10, cpu_hour: 0.05, most: 120}}   # the job stops at the most
"""


def write_starter(place: Path) -> Path:
    """Writes the spec and, beside it, the schema; gives the schema's path. Raises BadSpec where a file is there already, BadStore where none can be written."""
    if place.suffix.lower() not in (".yaml", ".yml"):
        raise BadSpec(f"{place}: a spec's file name ends in .yaml or .yml; choose one that does.")
    schema = place.with_suffix(".schema.json")
    if there := next((one for one in (place, schema) if one.exists()), None):
        raise BadSpec(f"{there} is there already and stays as it is; give another name.")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(TEXT.format(schema=schema.name, name=place.name), encoding="utf-8")
        schema.write_text(json.dumps(JobSpec.model_json_schema(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadStore(f"{place} cannot be written ({error.strerror}); choose another place.") from None
    return schema
