"""The thirty-one papers of the zoo: where each stands in the book, and what stands for it."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = {
    "P": "a parametrisation",
    "O": "an optimizer",
    "S": "a surrogate of the flow",
    "M": "a measure",
    "F": "a forecast",
}


@dataclass(frozen=True)
class Paper:
    """One paper: its number, the name of its section and its system, its title on a tile, its role, its page.

    Its claim is the entry "page.name" of the registry, or that of JUDGES.
    """

    row: int
    name: str
    title: str
    role: str
    page: str

    @property
    def link(self) -> str:
        """Address of its section, relative to the zoo's pages."""
        return f"{self.page}.html#zoo-{self.name}"

    @property
    def claim(self) -> str:
        """Name of the claim that judges it."""
        return f"{self.page}.{JUDGES.get(self.name, self.name)}"


JUDGES = {"prose": "prose-forecast", "words": "words-curve", "forecast": "end"}
"""The claim that judges a paper of many claims, none of which has its name."""


_ROWS = """
 1 | interaction-basis | Interaction basis | M | directions
 2 | butterfly | Butterfly factors | P | weights
 3 | mup | Feature learning, μP | P | width
 4 | pinn-pm | PINN-PM, particles | S | surrogates
 5 | tpp | Point processes | P | sequences
 6 | mgno | MgNO, multigrid | P | geometry
 7 | mip | Hypernetwork, MIP | P | weights
 8 | tversky | Tversky similarity | P | geometry
 9 | in-context | In-context learning | P | sequences
10 | subspace | Random subspace | P | weights
11 | words | Words and numbers | S | reading
12 | snnk | SNNK | P | weights
13 | pig | PIG, Gaussians | S | surrogates
14 | prose | PROSE | S | reading
15 | self-tuning | Self-tuning network | P | weights
16 | fno | Function space, FNO | P | geometry
17 | muon | Muon under μP | O | width
18 | wing | Riemannian features | P | geometry
19 | tuning | Cost of tuning | M | width
20 | hypino | HyPINO | S | surrogates
21 | node | Neural ODE | P | directions
22 | phnn | PHNN | P | weights
23 | node-reduced | Reduced neural ODE | P | directions
24 | deeponet | DeepONet | S | surrogates
25 | moe | Mixture of experts | P | width
26 | mmgp | MMGP, morphing | S | surrogates
27 | gssnn | Symbolic synthesis | P | geometry
28 | satformer | Space-time attention | P | sequences
29 | widenet | WideNet | P | sequences
30 | mpnn | Neural compilation | P | geometry
31 | forecast | Performance forecast | F | reading
"""


def _paper(line: str) -> Paper:
    row, *fields = (part.strip() for part in line.split("|"))
    return Paper(int(row), *fields)


PAPERS: tuple[Paper, ...] = tuple(_paper(line) for line in _ROWS.strip().splitlines())
"""The papers, in the order of the list that they come from."""
