"""The precision a network works in. Promises bfloat16 only where the hardware multiplies it; knows no network."""

from pathlib import Path

import torch


def working_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, else float32."""
    if device.type == "cuda":
        # Emulated, as on Turing, it is slower than float32 and rounds otherwise.
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() != "DEFAULT" and _cpu_has_bf16() else torch.float32


def _cpu_has_bf16() -> bool:
    # Linux names the instructions it may use; elsewhere the safe answer is no.
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
