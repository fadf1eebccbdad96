"""Environment variables by which a process is told how to compute: which instructions, how many threads."""

PERTURB = "UREP_PERTURB"
"""Asks for perturbed initial weights: see `tests/perturbed/sitecustomize.py`."""

ROUNDING = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "MKL_CBWR",
    "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES",
    "NPY_DISABLE_CPU_FEATURES",
    PERTURB,
)
"""Variables that choose how sums round."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Variables that say how many threads there are."""
