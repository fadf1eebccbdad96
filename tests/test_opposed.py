"""Networks of one hidden unit that start opposed: what is drawn is what was asked for."""

import numpy as np
import torch

from urep.experiments import opposed


def test_one_unit_multiplies_its_input_by_encoder_and_decoder():
    network = opposed.one_unit(0.5, np.array([2.0, -3.0]))
    outputs = network(torch.tensor([[4.0]], dtype=torch.float64))
    np.testing.assert_allclose(outputs.detach().numpy(), [[4.0, -6.0]])


def test_starts_point_away_and_keep_to_their_lengths():
    toward = np.array([0.6, 0.8])
    pairs = opposed.starts(3, 50, toward, widest=np.pi / 6, longer=(1, 1.5))
    assert len(pairs) == 50
    for u, decoder in pairs:
        length = np.hypot(*decoder)
        assert 0.3 <= u <= 0.6 and u <= length <= 1.5 * u
        assert decoder @ toward <= -np.cos(np.pi / 6) * length


def test_a_larger_decoder_on_the_line_collides_and_a_smaller_one_does_not():
    target = torch.tensor([[-0.3, -0.4], [0.3, 0.4]], dtype=torch.float64)
    inputs = torch.tensor([[-0.5], [0.5]], dtype=torch.float64)
    pairs = [(0.4, np.array([-0.36, -0.48])), (0.6, np.array([-0.24, -0.32]))]
    group = opposed.trained(pairs, (inputs, target), lr=0.01, epochs=3000)
    assert list(group.collide) == [True, False]
    assert group.least[0] < 1e-4 < 0.1 < group.least[1]
    assert 0 < group.lowest[0] < 3000
    np.testing.assert_allclose([state.dh2 for state in group.first], [0.16, 0.36])


def test_what_was_drawn_opposed_changes_places_where_the_decoder_is_larger():
    random = np.random.default_rng(0)
    for _ in range(5):
        u, along, across = opposed.draw(random, 1)
        assert u > 0 > along and across == 0
        assert opposed.changed_places((u, along, across)) == (u < -along)
