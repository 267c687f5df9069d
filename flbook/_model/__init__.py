"""The model: a task, a network, the Gram matrix of its layers, how it scales."""
