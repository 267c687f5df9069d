"""Odd models: each check-up equals Jacobians written out in full, or is refused by a sentence."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch_models import by_jacobian, measured, nudged

import flbook as fl


class Apply(nn.Module):
    """Parts, and how they make outputs of an input."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, back):
        (x,) = ctx.saved_tensors
        return back * (x.abs() < 1)


def encoder(**options):
    layer = nn.TransformerEncoderLayer(8, 2, 16, **options)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def tied():
    model = Apply(
        lambda m, x: m.head(m.hidden(m.tokens(x)).relu())[:, -1],
        tokens=nn.Embedding(7, 6),
        hidden=nn.Linear(6, 6),
        head=nn.Linear(6, 7, bias=False),
    )
    model.head.weight = model.tokens.weight
    return model


def with_statistics():
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(27, 2),
    )  # fmt: skip
    with torch.no_grad():
        for _ in range(20):
            model(1 + torch.randn(16, 1, 8, 8))
    return model


def frozen():
    model = mlp()
    model[0].requires_grad_(False)
    return model


def mlp(width=6, outputs=3):
    return nn.Sequential(nn.Linear(5, width), nn.Tanh(), nn.Linear(width, outputs))


def branch(m, x):
    h = m.a(x)
    return m.b(h * 2 if h.sum().item() > 0 else h)


def seen_as(*shape):
    return lambda: torch.randn(6, *shape)


def tokens(length=4):
    return torch.randint(7, (6, length))


PLAIN = seen_as(5)
IMAGE = seen_as(1, 8, 8)
STEPS = seen_as(4, 8)

MODELS = {
    "one output without an axis": (lambda: nn.Sequential(mlp(6, 1), nn.Flatten(0)), PLAIN),
    "in-place activation": (
        lambda: nn.Sequential(nn.Linear(5, 6), nn.ReLU(inplace=True), nn.Linear(6, 2)), PLAIN),
    "dropout": (lambda: nn.Sequential(mlp(6, 6), nn.Dropout(0.5), nn.Linear(6, 2)), PLAIN),
    "frozen layer": (frozen, PLAIN),
    "batch norm": (with_statistics, IMAGE),
    "batch norm without statistics": (
        lambda: nn.Sequential(
            nn.Linear(5, 6), nn.BatchNorm1d(6, track_running_stats=False), nn.Linear(6, 2)), PLAIN),
    "layer norm and group norm": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.GELU(), nn.Flatten(), nn.LayerNorm(144),
            nn.Linear(144, 2)), IMAGE),
    "convolution with stride, dilation and padding": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.SiLU(), nn.Conv2d(4, 4, 3, dilation=2,
            padding="same"), nn.Conv2d(4, 4, 1, groups=2), nn.Flatten(), nn.Linear(64, 2)), IMAGE),
    "circular convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), nn.Tanh(), nn.Flatten()),
        IMAGE),
    "one-dimensional and transposed convolution": (
        lambda: nn.Sequential(
            nn.Conv1d(4, 3, 3), nn.Tanh(), nn.ConvTranspose1d(3, 2, 2), nn.Flatten()), STEPS),
    "attention": (
        lambda: Apply(
            lambda m, x: m.b(m.a(x, x, x)[0]), a=nn.MultiheadAttention(8, 2, batch_first=True),
            b=nn.Linear(8, 2)), STEPS),
    "attention with weights returned": (
        lambda: Apply(lambda m, x: m.a(x, x, x), a=nn.MultiheadAttention(8, 2, batch_first=True)),
        STEPS),
    "transformer": (lambda: Apply(
        lambda m, x: m.b(m.a(x).mean(1)), a=encoder(batch_first=True), b=nn.Linear(8, 2)), STEPS),
    "transformer, norm first, steps first": (
        lambda: Apply(
            lambda m, x: m.b(m.a(x.transpose(0, 1)).mean(0)), a=encoder(norm_first=True),
            b=nn.Linear(8, 2)), seen_as(6, 8)),
    "causal attention by hand": (
        lambda: Apply(
            lambda m, x: nn.functional.scaled_dot_product_attention(
                *m.a(x).chunk(3, -1), is_causal=True), a=nn.Linear(8, 12)), STEPS),
    "layer called twice": (
        lambda: Apply(
            lambda m, x: m.b(m.h(m.h(m.a(x)).tanh()).tanh()), a=nn.Linear(5, 6), h=nn.Linear(6, 6),
            b=nn.Linear(6, 2)), PLAIN),
    "tied embedding": (tied, tokens),
    "matrix used past its layer": (
        lambda: Apply(lambda m, x: m.a(x).tanh() @ m.a.weight, a=nn.Linear(5, 6)), PLAIN),
    "sparse embedding": (
        lambda: Apply(
            lambda m, x: m.b(m.a(x)).tanh().sum(1), a=nn.Embedding(7, 6, sparse=True),
            b=nn.Linear(6, 2)), tokens),
    "bare parameters": (
        lambda: Apply(
            lambda m, x: (x @ m.w / 5**0.5).relu() @ m.u, w=nn.Parameter(torch.randn(5, 6)),
            u=nn.Parameter(torch.randn(6, 2))), PLAIN),
    "LSTM": (lambda: Apply(
        lambda m, x: m.b(m.a(x)[0][:, -1]), a=nn.LSTM(8, 5, 2, batch_first=True),
        b=nn.Linear(5, 2)), STEPS),
    "GRU": (lambda: Apply(lambda m, x: m.a(x)[0], a=nn.GRU(8, 5, batch_first=True)), STEPS),
    "weight norm": (
        lambda: nn.Sequential(
            nn.utils.parametrizations.weight_norm(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 2)),
        PLAIN),
    "spectral norm": (
        lambda: nn.Sequential(
            nn.utils.parametrizations.spectral_norm(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 2)),
        PLAIN),
    "data parallel": (lambda: nn.DataParallel(mlp()), PLAIN),
    "operation of one's own without forward mode": (
        lambda: Apply(
            lambda m, x: m.b(Sign.apply(m.a(x))), a=nn.Linear(5, 6), b=nn.Linear(6, 2)), PLAIN),
    "a branch on values": (
        lambda: Apply(branch, a=nn.Linear(5, 6), b=nn.Linear(6, 2)), PLAIN),
    "several outputs": (
        lambda: Apply(
            lambda m, x: (m.b(m.a(x).tanh()), m.c(m.a(x).tanh())), a=nn.Linear(5, 6),
            b=nn.Linear(6, 2), c=nn.Linear(6, 1)), PLAIN),
    "compiled": (lambda: torch.compile(mlp(), backend="eager"), PLAIN),
}  # fmt: skip


def model_of(name):
    torch.manual_seed(0)
    make, inputs = MODELS[name]
    return make(), inputs()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
def test_a_check_up_equals_the_full_jacobian(name, dtype):
    model, x = model_of(name)
    before, x = model.to(dtype), x.to(dtype) if x.is_floating_point() else x
    after = nudged(before)
    result = fl.checkup(before, after, x, outputs="all")
    plain = [getattr(m, "_orig_mod", getattr(m, "module", m)) for m in (before, after)]
    close = {"rel": 1e-9, "abs": 1e-12} if dtype == torch.float64 else {"rel": 2e-3, "abs": 2e-5}
    assert measured(result) == pytest.approx(by_jacobian(*plain, x), **close)


@pytest.mark.parametrize("name", MODELS)
def test_blocks_of_inputs_change_nothing(name):
    model, x = model_of(name)
    before = model.double()
    after, x = nudged(before), x.double() if x.is_floating_point() else x
    whole, blocks = (
        fl.checkup(before, after, x, seed=3, outputs=1, batch_size=size) for size in (None, 4)
    )
    assert measured(blocks) == pytest.approx(measured(whole), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_measured_in_single(dtype):
    torch.manual_seed(0)
    before = mlp().to(dtype)
    after, x = nudged(before), torch.randn(20, 5)
    result = fl.checkup(before, after, x, outputs="all")
    same = fl.checkup(copy.deepcopy(before).float(), copy.deepcopy(after).float(), x, outputs="all")
    assert measured(result) == measured(same)
    assert [doubt for doubt in result.doubts if "half-precision" in doubt]
    assert not same.doubts


def test_statistics_that_moved_are_a_doubt():
    before, _ = model_of("batch norm")
    after, x = nudged(before), torch.randn(20, 1, 8, 8)
    assert not fl.checkup(before, after, x).doubts
    after.train()(3 + x)
    moved = copy.deepcopy(before)
    moved.load_state_dict({**after.state_dict(), **dict(before.named_buffers())})
    (doubt,) = fl.checkup(before, after, x).doubts
    f0, f1, f = (model.eval()(x).detach().numpy() for model in (before, after, moved))
    share = np.linalg.norm(f1 - f) / np.linalg.norm(f1 - f0)
    assert f"batch-norm statistics moved (1.running_mean, …): this alone moves the outputs by " \
        f"{share:.0%}" in doubt  # fmt: skip


def test_dropout_and_frozen_layers_are_named():
    torch.manual_seed(0)
    before = nn.Sequential(mlp(6, 6), nn.Dropout(0.3), nn.Linear(6, 2))
    before[0][0].requires_grad_(False)
    doubts = fl.checkup(before, nudged(before), torch.randn(20, 5)).doubts
    assert len(doubts) == 2
    assert "dropout (up to 0.3) is off here" in doubts[0]
    assert "2 of 6 parameters did not change and count as frozen (0.0.weight, …)" in doubts[1]


def noisy(m, x):
    return nn.functional.dropout(m.a(x), 0.5, training=True)


REFUSED = {
    "noise": (lambda: Apply(noisy, a=nn.Linear(5, 6)), PLAIN, ValueError, "without noise"),
    "a loss": (
        lambda: Apply(lambda m, x: m.a(x).mean(), a=nn.Linear(5, 6)), PLAIN,
        ValueError, "a row for each of the 6 inputs"),
    "states of an LSTM": (
        lambda: nn.LSTM(8, 5, batch_first=True), STEPS, ValueError, "wrap it in a module"),
    "a class of its own": (
        lambda: Apply(lambda m, x: {m.a(x)}, a=nn.Linear(5, 6)), PLAIN, TypeError, "got set"),
    "complex": (lambda: nn.Linear(5, 2, dtype=torch.complex64), PLAIN, TypeError, "complex"),
    "lazy": (lambda: nn.LazyLinear(2), PLAIN, ValueError, "lazy module never called"),
    "no parameters": (nn.Flatten, PLAIN, ValueError, "without any"),
    "not differentiable twice": (
        lambda: Apply(
            lambda m, x: m.a(x), a=nn.EmbeddingBag(7, 6)), tokens, TypeError, "_embedding_bag"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_measured_is_refused(name):
    torch.manual_seed(0)
    make, inputs, error, words = REFUSED[name]
    before = make()
    after = copy.deepcopy(before) if name == "lazy" else nudged(before)
    with pytest.raises(error, match=words):
        fl.checkup(before, after, inputs())


def test_a_pruned_module_is_read_from_its_state_dicts():
    torch.manual_seed(0)
    model, x = mlp().double(), torch.randn(20, 5, dtype=torch.float64)
    prune.random_unstructured(model[0], "weight", 0.3)
    dense = [mlp().double() for _ in range(2)]
    states = []
    for plain in dense:
        with torch.no_grad():
            for p in model.parameters():
                p += 0.1 * torch.randn(p.shape)
        states.append(copy.deepcopy(model.state_dict()))
        model(x)  # what is pruned is computed on the way
        plain.load_state_dict(
            {name: getattr(model[int(name[0])], name[2:]) for name in plain.state_dict()}
        )
    result = fl.checkup(*states, x, f=model)
    assert result.linearisation_error == pytest.approx(
        fl.checkup(*dense, x).linearisation_error, rel=1e-9
    )
