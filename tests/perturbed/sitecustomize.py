"""All initial weights a little off, in every Python process that has this folder on its path.

`UREP_PERTURB` asks for it. Weights that `torch.nn.init` draws, for its own layers or for anybody, are
multiplied by 1 + size * z with z from a standard normal: 1e-7 in float32, 1e-12 in float64. That is what
another rounding of the first steps does, seen from later on. z is the same for each tensor of one shape and
comes from a generator of its own, so that two networks of one seed stay equal and no other draw is moved.
"""

import os
from functools import wraps

SIZES = {"torch.float32": 1e-7, "torch.float64": 1e-12}
DRAWS = ("uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_",
         "kaiming_normal_", "orthogonal_", "sparse_")  # fmt: skip


def perturbed(draw):
    """The same draw, its result a little off."""
    import torch

    @wraps(draw)
    def drawn(tensor, *arguments, **keywords):
        result = draw(tensor, *arguments, **keywords)
        size = SIZES.get(str(result.dtype))
        if size is not None:
            own = torch.Generator().manual_seed(0)
            z = torch.randn(result.shape, generator=own, dtype=torch.float64).to(result.device)
            with torch.no_grad():
                result.copy_(result.double() * (1 + size * z))
        return result

    drawn.perturbed = True
    return drawn


if os.environ.get("UREP_PERTURB"):
    from torch.nn import init

    for name in DRAWS:
        setattr(init, name, perturbed(getattr(init, name)))
