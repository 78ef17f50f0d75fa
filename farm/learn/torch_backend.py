"""Tells Ray Train to join its workers by torch, without loading torch in the driver, as Ray's own `TorchTrainer` does."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ray.train.backend import Backend, BackendConfig


class TorchProcessGroup(Backend):
    """Ray Train's own backend for torch, which is loaded in the controller and in the workers: only they call it."""

    share_cuda_visible_devices = True

    def on_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        config = _config()
        config.backend_cls().on_start(worker_group, config)

    def on_training_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        config = _config()
        config.backend_cls().on_training_start(worker_group, config)

    def on_shutdown(self, worker_group: Any, backend_config: BackendConfig) -> None:
        config = _config()
        config.backend_cls().on_shutdown(worker_group, config)


class TorchInWorkers(BackendConfig):
    """A process group of torch among the workers: gloo on processors, NCCL on GPUs."""

    @property
    def backend_cls(self) -> type[Backend]:
        return TorchProcessGroup

    @property
    def train_func_context(self) -> Callable[[], AbstractContextManager[None]]:
        return _in_worker


def _in_worker() -> AbstractContextManager[None]:
    found: AbstractContextManager[None] = _config().train_func_context()
    return found


def _config() -> Any:
    from ray.train.torch import TorchConfig

    return TorchConfig()
