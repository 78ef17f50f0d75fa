"""Paper: the base of every document of the farm. Promises that it is frozen and holds no field nobody has heard of; knows no document."""

from pydantic import BaseModel, ConfigDict


class Paper(BaseModel):
    """Frozen, validated, and with no field nobody has heard of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
