"""A check-up leaves models and PyTorch as they were, and says what it cannot take."""

from __future__ import annotations

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch_models import measured, nudged

import flbook as fl


@pytest.fixture
def pair():
    torch.manual_seed(0)
    before = nn.Sequential(
        nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2)
    )
    return before, nudged(before)


def test_nothing_of_the_users_is_changed(pair):
    before, after = pair
    x = torch.randn(20, 5, requires_grad=True)
    after[0].eval()
    after[4].weight.requires_grad_(False)
    after(x).sum().backward()
    torch.backends.mha.set_fastpath_enabled(False)

    def everything():
        return copy.deepcopy(
            [
                [(m.training, dict(m._forward_hooks)) for model in pair for m in model.modules()],
                [(p.requires_grad, p.grad, p.data) for model in pair for p in model.parameters()],
                [dict(model.named_buffers()) for model in pair],
                [torch.get_rng_state(), torch.is_grad_enabled(), x.grad, x.data],
                [torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled],
            ]
        )

    was = everything()
    fl.checkup(before, after, x)
    now = everything()
    torch.backends.mha.set_fastpath_enabled(True)
    torch.testing.assert_close(now, was, rtol=0, atol=0)


def test_what_is_around_the_call_has_no_say(pair):
    x = torch.randn(20, 5)
    plain = measured(fl.checkup(*pair, x))
    with torch.no_grad():
        assert measured(fl.checkup(*pair, x)) == plain
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert measured(fl.checkup(*pair, x)) == plain
    with torch.inference_mode():
        loaded = [copy.deepcopy(model.state_dict()) for model in pair]
        assert measured(fl.checkup(*pair, x)) == plain
        assert measured(fl.checkup(*loaded, x, f=pair[0])) == plain


@pytest.mark.parametrize("to", [lambda x: x.numpy(), lambda x: x.double(), lambda x: x.tolist()])
def test_inputs_take_the_precision_of_the_parameters(pair, to):
    x = torch.randn(20, 5)
    assert measured(fl.checkup(*pair, to(x))) == measured(fl.checkup(*pair, x))


def test_state_dicts_of_a_module_are_as_good(pair):
    x, y = torch.randn(20, 5), torch.arange(20) % 2
    between = nudged(pair[0], 0.01)
    modules = fl.checkup(*pair, x, y, checkpoints=[between])
    states = [copy.deepcopy(model.state_dict()) for model in (*pair, between)]
    other = copy.deepcopy(pair[0]).train()
    dicts = fl.checkup(*states[:2], x, y, f=other, checkpoints=[states[2]])
    assert str(dicts) == str(modules)
    assert dicts.path == modules.path


def test_only_pytorch_is_imported():
    code = (
        "import torch, flbook as fl, copy, sys; a = torch.nn.Linear(2, 2); b = copy.deepcopy(a);"
        "b.weight.data += 1; fl.checkup(a, b, torch.randn(20, 2)); print('jax' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr


class Tanh(nn.Sequential):
    def forward(self, x):
        return super().forward(x).tanh()


REFUSED = {
    "itself": (
        lambda a, b: (a, a), {}, ValueError, "after must not be before itself.*deepcopy"),
    "state dict by reference": (
        lambda a, b: (a.state_dict(), a.state_dict()), {"f"}, ValueError, "not be before itself"),
    "no training": (
        lambda a, b: (a, copy.deepcopy(a)), {}, ValueError, "same parameters: no training"),
    "state dicts without a module": (
        lambda a, b: (a.state_dict(), b.state_dict()), {}, TypeError, "modules, or state dicts"),
    "modules with f": (lambda a, b: (a, b), {"f"}, TypeError, "state dicts of the module f"),
    "another shape": (
        lambda a, b: (a, nn.Sequential(nn.Linear(5, 9), *b[1:])), {}, ValueError,
        r"after must have the shapes of before, got \(9, 5\) for '0.weight'"),
    "another name": (
        lambda a, b: (a, nn.Sequential(*b[:4], nn.Identity(), b[4])), {}, ValueError,
        "'4.bias' missing"),
    "another function": (lambda a, b: (a, Tanh(*b)), {}, ValueError, "do their settings differ"),
    "not a number": (
        lambda a, b: (a, broken(b)), {}, ValueError, "after must be finite, got nan in '0.weight'"),
}  # fmt: skip


def broken(model):
    with torch.no_grad():
        model[0].weight[0, 0] = np.nan
    return model


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compared_is_refused(pair, name):
    make, options, error, words = REFUSED[name]
    models = make(*pair)
    with pytest.raises(error, match=words):
        fl.checkup(*models, torch.randn(20, 5), f=pair[0] if options else None)


@pytest.mark.parametrize("x", [{"a": 1}, None, "images"], ids=str)
def test_inputs_that_are_no_array_are_refused(pair, x):
    with pytest.raises(TypeError, match="x must be a tensor or an array"):
        fl.checkup(*pair, x)
