"""What the tests of the figures draw, and how they read a drawing."""

from __future__ import annotations

import numpy as np

import flbook as fl

TASK = fl.Task(second_moment=1.0, cross_moment=0.8, label_moment=1.0)
NETWORK = fl.Network(3, gamma=0.5, eta_u=2.0, eta_w=0.5)
U, W = np.array([1.0, -0.4, 0.3]), np.array([0.2, 0.9, -1.1])
GRAM = fl.Gram.from_weights(U, W)
FLOW = fl.GradientFlow(NETWORK, TASK, GRAM)
SEVERAL = fl.GradientFlow(NETWORK, TASK, fl.Gram([1.0, 2.0], [0.0, 0.5], [1.0, 3.0]))
TIMES = np.array([0.0, 0.5, 1.0, 4.0])


def coordinates(line):
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
