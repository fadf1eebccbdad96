"""What the paper numbers: its equations, figures and tables, and where the explorer shows one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A numbered thing of the paper: its key ("eq 38"), its section, and what it says."""

    key: str
    section: str
    says: str


def _items(kind: str, rows: str) -> list[Item]:
    items = []
    for line in rows.strip().splitlines():
        number, section, says = (part.strip() for part in line.split("|"))
        items.append(Item(f"{kind} {number}", section, says))
    return items


ITEMS: tuple[Item, ...] = tuple(
    _items("eq", """
 1 | 2.1 | training loss, half the mean squared error
 2 | 2.1 | the loss through encoder and decoder
 3 | 2.1 | gradient descent on the parameters
 4 | 2.1 | its continuous-time limit
 5 | 2.2 | encoder and decoder linearised around the mean of the two points
 6 | 2.2 | gradient descent on the linearisation, with effective time constants
 7 | 2.3 | the closed system for ‖dh‖², ‖dy‖² and w
 8 | 2.3 | what dx, dh, dy and w are
 9 | 3.3 | the loss through the three variables
10 | 4.1 | final representational distance
11 | 4.1 | A_high and A_low
12 | 4.1 | large initial weights
13 | 4.1 | small initial weights
14 | 5.1 | initial distance against depth
15 | A.1 | the linearisation, once more
16 | A.1 | the loss of the linearised network
17 | A.1 | gradient descent on its matrices
18 | A.1 | the mean output decays to its target
19 | A.1 | the representations do not rotate
20 | A.1 | derivatives of the three scalars
21 | A.1 | the closed system, once more
22 | A.2 | derivation of the loss
23 | A.3 | ‖dy‖²/‖dh‖² moves with ‖dh‖²
24 | A.3 | ‖dy‖² as a function of ‖dh‖²
25 | A.3 | the two-dimensional system
26 | A.3 | w vanishes at a fixed point
27 | A.3 | the three candidates for ‖dh‖²
28 | A.3 | A_high and A_low, once more
29 | A.3 | Jacobian at the positive fixed point
30 | A.3 | its trace is negative
31 | A.3 | its determinant is positive
32 | A.3 | Jacobian at zero
33 | A.3 | eigenvectors along the direction of approach
34 | A.3 | the two directions
35 | A.3 | the two eigenvalues
36 | A.3 | where training ends
37 | A.4 | the system for identical targets
38 | A.4 | a Bernoulli equation for ‖dh‖²
39 | A.4 | its solution
40 | A.4 | ‖dy‖² along it
41 | A.5 | scaling of the start with the weights
42 | A.5 | change of variables
43 | A.5 | the scaled system
44 | A.6 | distribution of the final distance
45 | A.6 | the same, simplified
46 | A.6 | A_high is Gaussian
47 | A.6 | its distribution function
48 | A.6 | distribution of the final distance, explicit
49 | B.1 | objective of the fit
50 | B.4 | exponential weighing
""")
    + _items("fig", """
 1 | 2.3 | the variables, drawn
 2 | 3.1 | two-point dynamics of eleven architectures
 3 | 3.2 | dynamics and loss against initial weights
 4 | 3.4 | two tracked points in MNIST
 5 | 4.3 | predicted against learned final distance
 6 | 4.4 | XOR
 7 | 4.5 | the Gaussian-blob task
 8 | 4.5 | feature collapse
 9 | 4.6 | MNIST representational structure
10 | 5.1 | fit quality and rates against depth
11 | C.1 | loss curves of the architectures
12 | C.2 | very low weights on the blobs
13 | C.3 | Adam on two points
14 | C.3 | Adam on XOR
15 | C.3 | Adam on the blobs
16 | C.3 | Adam on MNIST
""")
    + _items("table", """
1 | B.1 | settings of the two-point experiments
2 | B.2 | settings of XOR, blobs and MNIST
""")
)  # fmt: skip
"""Every equation, figure and table of the paper, in its order."""


_EQUAL = "tau_h=100&tau_y=100&dx2=1&dy2_target=0.5"

EXPLORE = {
    "7": "row=Default",
    "9": "row=Default",
    "10": f"{_EQUAL}&dh2_0=0.5&dy2_0=0.05&angle=60&epochs=fit",
    "12": f"{_EQUAL}&dh2_0=5&dy2_0=0.01&angle=90&epochs=fit",
    "13": f"{_EQUAL}&dh2_0=0.001&dy2_0=1e-6&angle=60&epochs=fit",
    "21": "row=Linear",
    "24": f"{_EQUAL}&dh2_0=0.5&dy2_0=0.05&angle=120&epochs=fit",
    "25": f"{_EQUAL}&dh2_0=0.2&dy2_0=0.02&angle=150&epochs=fit",
    "35": f"{_EQUAL}&dh2_0=1e-5&dy2_0=1e-10&angle=30&epochs=fit",
    "39": "tau_h=100&tau_y=100&dx2=1&dy2_target=0&dh2_0=2&dy2_0=1&angle=0&epochs=fit",
    "40": "tau_h=100&tau_y=100&dx2=1&dy2_target=0&dh2_0=0.5&dy2_0=2&angle=0&epochs=fit",
    "43": f"{_EQUAL}&dh2_0=50&dy2_0=80&angle=40&epochs=fit",
    "E1": "row=Default",
    "E3": f"{_EQUAL}&dh2_0=0.05&dy2_0=0.5&angle=180&epochs=fit",
}
"""Query of the explorer's address that shows an equation, by the equation's number."""
