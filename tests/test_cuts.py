"""Networks that are cut: every case is a cut, and what is none is none."""

import torch
from torch.func import functional_call, grad

from urep.experiments import cuts, identity


def test_every_case_is_a_cut_and_the_kernel_is_that_of_its_gradient():
    cases = cuts.cases()
    assert len(cases) == 8
    for name, case in cases.items():
        assert case.passes_by() == 0, name
        found = case.across()
        own = {key: value.detach() for key, value in case.network.named_parameters()}
        inputs, targets = case.data
        direction = torch.nn.functional.normalize(targets.flatten(1).diff(dim=0)[0], dim=0)

        def dy(held, network=case.network, inputs=inputs, direction=direction):
            return functional_call(network, held, (inputs,)).flatten(1).diff(dim=0)[0] @ direction

        kernel = sum((slope**2).sum().item() for slope in grad(dy)(own).values()) / 4
        assert abs(found.kernel / kernel - 1) < 1e-10 and found.missed < 1e-10, name
        assert found.crossing.any() == (name in ("shared attention (WideNet)", "recurrent (GRU)")), name


def test_training_moves_the_kernel_and_dropout_is_off_behind_it():
    case = cuts.cases()["dropout, evaluated"]
    before, after = case.across(), case.across(epochs=3)
    assert before.kernel != after.kernel and not case.network.training


def test_one_activation_of_a_skip_network_and_one_state_of_unlike_sequences_are_no_cuts():
    skip = cuts.cases()["skip"]
    assert identity.passes_by(skip.network, skip.data, skip.cut[1:]) > 0.1
    assert cuts.to_the_end().passes_by() > 0.1
