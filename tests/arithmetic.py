"""Ways in which the same machine rounds differently: what another processor would do, seen on this one.

    python tests/arithmetic.py oldest                       show that it is active
    python tests/arithmetic.py oldest -- python -m pytest   run a command under it
    python tests/arithmetic.py portable -- ...              run it under each of PORTABLE

All is chosen by environment variables, so that kernels and other processes which a command starts have it
too. A command starts only once a fresh process has been seen to compute as asked.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "book" / "_ext"))
from rounding import PERTURB, ROUNDING, THREADS

NAMED = "UREP_ARITHMETIC"
"""Variable that says which of these is active in a process that was started under one."""

PERTURBED = Path(__file__).resolve().parent / "perturbed"

OLDEST = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
    "MKL_CBWR": "COMPATIBLE",
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",  # names of NumPy's __cpu_dispatch__
}
HASWELL = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "MKL_CBWR": "AVX2",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse4.1,+sse4.2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    **dict.fromkeys(THREADS, "2"),
}
X86 = platform.machine() in ("x86_64", "AMD64")

ARITHMETICS: dict[str, dict[str, str]] = {
    "native": {},
    "oldest": OLDEST if X86 else {"ATEN_CPU_CAPABILITY": "default"},
    "haswell": HASWELL if X86 else dict.fromkeys(THREADS, "2"),
    "perturbed": {PERTURB: "1"},
}
"""Each by the variables that make it; where a processor is not an x86, what of them it can do."""

PORTABLE = ("oldest", "haswell", "perturbed")
"""What `make portable` runs."""

KERNELS = "oldest"
"""What nbval's kernels have, so that with the build, which is native, each push sees two."""


def environment(name: str) -> dict[str, str]:
    """The variables of a process under the named arithmetic: of this process's, those that do not round."""
    if name not in ARITHMETICS:
        raise ValueError(f"name: {name!r} is no arithmetic; there are {', '.join(ARITHMETICS)}")
    own = {key: value for key, value in os.environ.items() if key not in ROUNDING}
    own |= dict.fromkeys(THREADS, "1") | ARITHMETICS[name] | {NAMED: name}
    path = [part for part in own.pop("PYTHONPATH", "").split(os.pathsep) if part and Path(part) != PERTURBED]
    path = [str(PERTURBED), *path] if PERTURB in ARITHMETICS[name] else path
    return own | ({"PYTHONPATH": os.pathsep.join(path)} if path else {})


def active() -> dict[str, object]:
    """How this process computes, asked of the libraries themselves."""
    import numpy as np
    import torch
    from numba.core.registry import cpu_target
    from scipy import linalg  # noqa: F401 - brings a BLAS of its own
    from threadpoolctl import threadpool_info

    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return {
        "torch": torch.backends.cpu.get_cpu_capability(),
        "blas": sorted({library.get("architecture", "unknown") for library in blas}),
        "numba": cpu_target.target_context.codegen().magic_tuple()[1],
        "numpy": np.show_config(mode="dicts")["SIMD Extensions"].get("found", []),
        "threads": torch.get_num_threads(),
        "perturbed": hasattr(torch.nn.init.xavier_normal_, "perturbed"),
        "rounded": _rounded(),
    }


def _rounded() -> str:
    """The last bits of a product and of a convolution in float32, as a short digest to compare."""
    import torch

    drawn = torch.Generator().manual_seed(0)
    a, b, x, w = (
        torch.rand(size, generator=drawn) for size in ((200, 500), (500, 500), (8, 40, 40), (40, 40, 11))
    )
    bits = (a @ b).numpy().tobytes() + torch.nn.functional.conv1d(x, w, padding=5).numpy().tobytes()
    return hashlib.sha256(bits).hexdigest()[:8]


def expected(name: str) -> dict[str, object]:
    """The part of `active` that the named arithmetic settles."""
    asked = dict.fromkeys(THREADS, "1") | ARITHMETICS[name]
    seen = {"threads": int(asked["OMP_NUM_THREADS"]), "perturbed": PERTURB in asked}
    if "ATEN_CPU_CAPABILITY" in asked:
        seen["torch"] = asked["ATEN_CPU_CAPABILITY"].upper()
    if "OPENBLAS_CORETYPE" in asked:
        seen["blas"] = [asked["OPENBLAS_CORETYPE"]]
    if "NUMBA_CPU_NAME" in asked:
        seen["numba"] = asked["NUMBA_CPU_NAME"]
    if "NPY_DISABLE_CPU_FEATURES" in asked:
        seen["numpy"] = ["X86_V3"] if name == "haswell" else []
    return seen


def demand(name: str) -> dict[str, object]:
    """What a fresh process under the named arithmetic says of itself; raises where it is not as asked.

    Verified is what libraries say: the instructions of torch, the kernels of every OpenBLAS, Numba's CPU by
    its name, what NumPy dispatches to, the number of threads, and whether weights are perturbed. Not verified
    are MKL_CBWR, ONEDNN_MAX_CPU_ISA and NUMBA_CPU_FEATURES, which no library tells again; `rounded` is a
    digest of what torch computes, which need not differ from one arithmetic to the next.
    """
    code = "import json, arithmetic; print(json.dumps(arithmetic.active()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, env=environment(name),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"a process under {name} failed:\n{done.stderr}")
    seen = json.loads(done.stdout)
    wrong = {key: (seen[key], value) for key, value in expected(name).items() if seen[key] != value}
    if wrong:
        raise RuntimeError(f"{name} is not what this machine computes: seen and asked are {wrong}")
    return seen


def possible(name: str) -> bool:
    """Whether this processor has the instructions of the named arithmetic."""
    return name != "haswell" or not X86 or "X86_V3" in demand("native")["numpy"]


def main(arguments: list[str]) -> int:
    """Show an arithmetic, or run a command under it; the first exit status that is not 0."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__, f"\nThere are {', '.join(ARITHMETICS)}.")
        return 0
    names = PORTABLE if arguments[0] == "portable" else (arguments[0],)
    command = arguments[2:] if arguments[1:2] == ["--"] else []
    impossible = [name for name in names if arguments[0] == "portable" and not possible(name)]
    seen = {name: demand(name) for name in names if name not in impossible}  # all, before the first run
    for name in impossible:
        print(f"== {name}: skipped, this processor has no AVX2", flush=True)
    status = 0
    for name in seen:
        said = ", ".join(f"{key} {value}" for key, value in seen[name].items())
        print(f"== {name}: {said}", flush=True)
        if command:
            status = subprocess.run(command, env=environment(name), check=False).returncode or status
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
