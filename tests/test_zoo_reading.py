"""Chapter 7 of the zoo: equations in words, what the readers attend to, exact curves, forecasts by areas."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.integrate import solve_ivp

import urep
from urep import Rates, Run, State, TwoPoint, alternatives
from urep import equations as eq
from urep.zoo import reading, sheets

LETTERS = (*eq.state, eq.dx2, eq.dy2_target, eq.tau_h, eq.tau_y)
"""The letters of (7)."""


def values(seed):
    """Some positive ‖dh‖², ‖dy‖², negative w, and constants."""
    random = np.random.default_rng(seed)
    H, Y, dx2, d2, tau_h, tau_y = random.uniform(0.2, 2, 6)
    return (H, Y, -random.uniform(0.1, 1), dx2, d2, tau_h, tau_y)


# --- the family and its words ---------------------------------------------------------------


def altered():
    """The sixteen systems by SymPy: (7), and all of `alternatives.altered`."""
    return {"equation (7)": tuple(eq.paper[7].rhs)} | alternatives.altered(reading.CHANGES)


def test_the_laws_are_those_of_alternatives():
    assert set(reading.NAMES) == set(altered()) and len(reading.NAMES) == 16


@pytest.mark.parametrize("name", reading.NAMES)
def test_words_of_a_law_stand_for_the_right_hand_sides_of_alternatives(name):
    """In (7)'s own letters; a tenth more on one constant is seen."""
    H, Y, W, dx2, d2, tau_h, tau_y = values(1)
    truth = [float(line.subs(dict(zip(LETTERS, values(1), strict=True)))) for line in altered()[name]]
    letters = {"a": dx2 / tau_h, "b": 1 / tau_y, "H": H, "W": W, "Q": Y / H}
    letters |= {"R": (Y + W) / (2 * H), "E": (3 * W - Y + d2) / 2}
    told = reading.evaluated(reading.in_words(reading.LAWS[name]), letters)
    np.testing.assert_allclose(told, truth, rtol=1e-12)
    off = reading.evaluated(reading.in_words(reading.LAWS[name]), letters | {"b": 1.1 / tau_y})
    assert np.max(np.abs(np.array(off) - truth)) > 1e-3


def test_words_come_back_as_the_law_that_they_say():
    for k, factors in enumerate(reading.LAWS.values()):
        words = reading.in_words(factors)
        assert reading.named(words) == k and reading.parses(words)
        assert len(words) < reading.LENGTH and set(words) <= set(reading.WORDS)


@pytest.mark.parametrize("words", ["neg * a W", "neg * a ; 0 ; 0", "0 ; 0 ; 0 0", "0 ; 0 ; erased", ""])
def test_words_that_are_no_equations_do_not_parse(words):
    assert not reading.parses(words.split()) and reading.named(words.split()) == -1


def test_two_pairs_of_laws_differ_by_a_constant_and_no_others_do():
    """w's decoder halved is dy2's doubled with half of τ_y; a hundredth off it is seen."""
    H, Y, W = values(2)[:3]
    letters = {"a": 0.7, "H": H, "W": W, "Q": Y / H, "R": (Y + W) / H / 2, "E": (3 * W - Y + 1) / 2}
    for name, other in reading.SAME.items():
        factor = 2.0 if name.endswith("doubled") else 0.5

        def told(law, b):
            return np.array(reading.evaluated(reading.in_words(reading.LAWS[law]), letters | {"b": b}))

        np.testing.assert_allclose(told(name, 1.0), told(other, factor), rtol=1e-13)
        assert np.abs(told(name, 1.0) - told(other, 1.01 * factor)).max() > 1e-3
    assert len(set(reading.CLASSES)) == 14


def test_curves_are_those_of_scipy_at_the_same_starts():
    """Each law, in the units of the reader, to what is left where the steps end; the next law is off."""
    factors = np.array([*reading.LAWS.values()])
    H, share = np.full(16, 0.05), np.full(16, 0.02)
    made = reading.curves(factors, H, share)
    never = np.isnan(made).any(axis=(1, 2))
    assert [reading.NAMES[k] for k in np.flatnonzero(never)] in ([], ["w, decoder dropped"])
    for k, own in enumerate(factors[~never]):
        path = solve_ivp(
            lambda t, z, own=own: reading.field(z[None], own[None])[0],
            (0, 60), [0.05, 0.02**2, 0.02**2 - 0.02], rtol=1e-9, atol=1e-12, dense_output=True,
        )  # fmt: skip
        fine = np.linspace(0, 60, 60_001)
        learned = np.subtract(*path.sol(fine)[1:])
        end = np.interp(reading.PREFIX, learned[: learned.argmax()], fine[: learned.argmax()])
        at = path.sol(np.minimum(end * np.arange(reading.TIMES) / (reading.SEEN - 1), 60)).T
        np.testing.assert_allclose(
            made[~never][k], at / [at[reading.SEEN - 1, 0], 1, 1], rtol=5e-3, atol=1e-3
        )
    apart = np.abs(made - np.roll(made, 1, axis=0))[~never].max(axis=(1, 2))
    assert np.nanmin(apart) > 0.02


def test_a_network_that_obeys_seven_is_read_as_the_family_has_it():
    """The window of a long exact run in other units is the reader's curve of (7)."""
    H, share = 0.05, reading.WINDOW
    made = reading.curves(np.ones((1, 5)), np.array([H]), np.array([share]))[0]
    task, rates = TwoPoint(1.3, 0.5), Rates(40.0, 25.0)
    unit = np.sqrt(task.dx2 * task.dy2_target * rates.tau_y / rates.tau_h)
    v = share * np.sqrt(task.dy2_target)
    start = State(H * unit, v**2, v * (v - np.sqrt(task.dy2_target)))
    t = np.arange(0, 3000.0)
    run = Run(t, urep.solve(start, task, rates, t), np.ones_like(t), task, 1.0, "epochs")
    np.testing.assert_allclose(reading.window(run), made, atol=2e-3)


# --- the readers ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prose():
    torch.manual_seed(0)
    return reading.PROSE().eval()


def asked(seed=0):
    """What PROSE reads of three trajectories of the family, and their equations."""
    random = np.random.default_rng(seed)
    kind, whole = reading.drawn(random, 1)
    rows = [0, 5, 9]
    return reading.read_numbers(whole[rows], random), reading.guessed(kind[rows], 0.0, random)


def test_the_operator_decoder_answers_each_time_for_itself(prose):
    """As an operator; a decoder with attention among the times would be off."""
    seen = prose.read(*asked())
    times = torch.linspace(0, 3, 7).expand(3, -1)
    together = prose.operator(times, seen)
    alone = torch.cat([prose.operator(times[:, [k]], seen) for k in range(7)], dim=1)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    mixed = prose.data(prose.operator.query(times[..., None]))
    mixed_alone = torch.cat([prose.data(prose.operator.query(times[:, [k], None])) for k in range(7)], dim=1)
    assert (mixed - mixed_alone).abs().max() > 1e-2


def test_the_symbol_decoder_does_not_see_the_words_to_come(prose):
    """Later words change no score before them; without the mask they do."""
    seen, told = prose.read(*asked()), torch.tensor(reading.EQUATIONS[[0, 5, 9]])
    other = told.clone()
    other[:, 12:] = reading.WORDS.index("b")
    scores = [prose.symbols(words, seen)[:, :12] for words in (told, other)]
    torch.testing.assert_close(*scores, atol=1e-5, rtol=0)
    unmasked = [
        prose.symbols.tell(prose.symbols.word(words) + prose.symbols.place, seen)[:, :12]
        for words in (told, other)
    ]
    assert (unmasked[0] - unmasked[1]).abs().max() > 1e-2


def test_fusion_lets_words_reach_the_curve_and_numbers_reach_the_words(prose):
    """Other words change the curve, other numbers the next word; read apart they would not."""
    numbers, words = asked()
    times, begin = torch.ones(3, 2), torch.full((3, 1), reading.WORDS.index("begin"))
    curve, said = prose(numbers, words, times, begin)
    assert (prose(numbers, words.roll(1, 0), times, begin)[0] - curve).abs().max() > 1e-4
    assert (prose(numbers.roll(1, 0), words, times, begin)[1] - said).abs().max() > 1e-4
    n = reading.SEEN
    apart = prose.data(prose.number(numbers))
    torch.testing.assert_close(
        prose.operator(times, apart), prose.operator(times, apart.clone()), atol=0, rtol=0
    )
    assert prose.read(numbers, words).shape[1] == n + reading.LENGTH


def test_what_is_told_ends_with_its_first_end():
    told = torch.tensor([[reading.WORDS.index(word) for word in ("0", ";", "end", "a", "end")]])
    assert reading.sentences(told, reading.WORDS) == [("0", ";")]


def test_words_that_are_erased_tell_nothing_not_even_how_many_there_are():
    random = np.random.default_rng(0)
    gone = reading.guessed(np.arange(16), 1.0, random)
    assert (gone == reading.WORDS.index("erased")).all()
    half = (reading.guessed(np.arange(16), 0.5, random) == reading.WORDS.index("erased")).float().mean()
    assert 0.4 < half < 0.6


# --- the prompted model ---------------------------------------------------------------------


def test_the_exact_pair_is_the_exact_solution_in_its_own_units():
    random = np.random.default_rng(0)
    known, t = reading.cases(random, 40), np.linspace(0, reading.UNTIL, 31)
    p, x = reading.exact_pair(known.p0, known.x0, known.s, t)
    for k in range(40):
        v, s = known.p0[k] * known.x0[k], known.s[k]
        start = State(known.p0[k] ** 2, v**2, v * (v - s))
        path = urep.solve(start, TwoPoint(1.0, s**2), Rates(0.5, 0.5), t, dy=v)
        np.testing.assert_allclose(p[k] ** 2, path.dh2, atol=1e-11)
        np.testing.assert_allclose((p[k] * x[k]) ** 2, path.dy2, atol=1e-11)
    wrong, _ = reading.exact_pair(known.p0, known.x0, 1.1 * known.s, t)
    assert np.abs(wrong - p).max() > 0.02


def test_sentences_say_what_the_curves_do():
    t = np.linspace(0, 6, 601)
    rise = 1 / (1 + np.exp(-2 * (t - 3)))
    told = " ".join(reading.description(0.1 + rise, rise / (0.1 + rise), 1.0, t))
    assert told == "outputs start right and wait until t is about 3 and rise ; representations lie farther"
    fade = " ".join(reading.description(np.exp(-t / 6), np.exp(-t), 0.0, t))
    assert fade == "outputs start right and wait until t is about 1 and fade ; representations lie closer"
    swap = " ".join(reading.description(0.5 - t, np.full_like(t, -0.2), 1.0, t))
    assert swap.startswith("outputs start wrong and wait") and "swap and lie farther" in swap


def test_prompts_hold_numbers_where_they_are_known_and_words_where_they_are_said():
    known = reading.cases(np.random.default_rng(0), 8)
    some = {"words": np.ones((8, 4), bool), "numbers": np.zeros((8, 2), bool)}
    tokens, values = reading.prompts(known, **some)
    words = [[reading.PROMPTS[k] for k in row] for row in tokens.tolist()]
    assert all(row.count("#") == 2 and "unknown" in row and "size" in row for row in words)
    assert all(("same" in row) == (s == 0) for row, s in zip(words, known.s, strict=True))
    assert (values >= 0).all()  # the sign of x0 is not among the numbers
    blank, _ = reading.prompts(known, **some | {"words": np.zeros((8, 4), bool)})
    assert (blank == reading.PROMPTS.index("?")).sum(dim=1).eq(4).all()


def test_the_prompted_model_embeds_a_number_only_where_one_stands():
    torch.manual_seed(0)
    model = reading.Prompted().eval()
    known = reading.cases(np.random.default_rng(0), 4)
    part = {"words": np.ones((4, 4), bool), "numbers": np.zeros((4, 2), bool)}
    tokens, values = reading.prompts(known, **part)
    seen = model.read(tokens, values)
    hidden = torch.where(tokens == reading.PROMPTS.index("#"), values, 7.0)
    torch.testing.assert_close(model.read(tokens, hidden), seen, atol=0, rtol=0)
    assert (model.read(tokens, 1.1 * values) - seen).abs().max() > 1e-4


# --- forecasts ------------------------------------------------------------------------------


def exact_run(tau_h=60.0, tau_y=35.0, dh2=0.05):
    """A run that obeys (7)."""
    task = TwoPoint(1.2, 0.5)
    start = State(dh2, 1e-4, 1e-4 - 0.01 * np.sqrt(0.5))
    t = np.arange(0, 2500.0)
    return Run(t, urep.solve(start, task, Rates(tau_h, tau_y), t), np.exp(-t / 300), task, 1.0, "epochs")


@pytest.mark.parametrize("share", reading.SHARES)
def test_areas_give_the_rates_of_a_run_that_obeys_seven(share):
    """To the trapezoid's error; the rates of another run are a third off."""
    own = reading.beginning(exact_run(), share, "one", ())
    found = reading.rates_by_areas(own)
    np.testing.assert_allclose([*found], [60, 35], rtol=1e-3)
    assert abs(reading.theory_end(own) / own.end - 1) < 1e-3
    assert abs(reading.theory_left(own) / own.left - 1) < 1e-2
    other = reading.rates_by_areas(reading.beginning(exact_run(tau_h=90.0), share, "one", ()))
    assert abs(other.tau_h / found.tau_h - 1) > 0.3


def test_areas_say_nothing_where_the_representation_shrinks():
    run = exact_run()
    wrong = State(run.trajectory.dh2[::-1].copy(), run.trajectory.dy2, run.trajectory.w)
    falls = Run(run.t, wrong, run.loss, run.task, 1.0, "epochs")
    own = reading.beginning(falls, 0.2, "one", ())
    assert reading.rates_by_areas(own) is None
    assert reading.theory_end(own) == falls.trajectory.dh2[own.rows - 1]


def test_forecasts_learn_from_other_groups_only_and_shuffling_spoils_them():
    """What a known run of the asked run's own group came to is never used."""
    only = {"machines": ("ν-SVR",)}
    random = np.random.default_rng(0)
    many = [exact_run(*random.uniform(20, 90, 2), random.uniform(0.01, 0.2)) for _ in range(18)]
    known = [reading.beginning(run, 0.4, str(k % 2), (k % 2,)) for k, run in enumerate(many)]
    found = reading.forecasts(known, known, **only)
    assert reading.factor(found["theory"]) < 1.01
    assert reading.factor(found["ν-SVR"]) < reading.factor(found["mean"])
    lied = [replace(of, end=1e3 * of.end) if of.group == "0" else of for of in known]
    own = [k for k, of in enumerate(known) if of.group == "0"]
    asked = [known[k] for k in own]
    np.testing.assert_allclose(
        reading.forecasts(lied, asked, **only)["ν-SVR"], found["ν-SVR"][own], rtol=1e-9
    )
    blind = reading.forecasts(known, known, shuffled=0, **only)
    assert reading.factor(blind["ν-SVR"]) > reading.factor(found["ν-SVR"])


def test_a_beginning_must_be_reached():
    run = exact_run()
    rows = slice(reading.rows_until(run, 0.2), None)
    late = replace(run, t=run.t[rows], trajectory=run.trajectory[rows], loss=run.loss[rows])
    with pytest.raises(ValueError, match=r"share must be reached after 12 rows or more, got 0\.05 after 0"):
        reading.beginning(late, 0.05, "one", ())


def test_a_search_that_can_see_the_end_stops_the_rest_and_keeps_the_best():
    """With beginnings that are another's it is no better than chance."""
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 3))
    performance, orders = X @ [3.0, 1, 0], [random.permutation(60) for _ in range(4)]
    looks = [reading.stopped_early(X, performance, order) for order in orders]
    assert all(kept for kept, _ in looks) and min(faster for _, faster in looks) > 2
    blind = [reading.stopped_early(X[::-1], performance, order) for order in orders]
    assert np.mean([faster for _, faster in blind]) < 2 or not all(kept for kept, _ in blind)


def test_a_search_retrained_is_the_stored_one():
    """Its first networks."""
    _, performance = reading.searched(0, n=4)
    stored = sheets.study("search")["performance"][0]
    np.testing.assert_allclose(performance, stored[:4], rtol=1e-6)


def test_studies_are_listed_with_fresh_seeds():
    assert [one.name for one in reading.STUDIES] == ["prose", "nearest", "words", "search"]
    assert all(list(one.fresh) == [100, 101, 102] for one in reading.STUDIES)


def test_sympy_and_the_field_of_the_family_agree():
    """In units in which all constants are one."""
    H, Y, W = values(3)[:3]
    unit = dict(zip(LETTERS, (H, Y, W, 1, 1, 1, 1), strict=True))
    for name, lines in altered().items():
        own = reading.field(np.array([[H, Y, W]]), np.array([reading.LAWS[name]]))[0]
        np.testing.assert_allclose(own, [float(sp.sympify(line).subs(unit)) for line in lines], rtol=1e-12)
