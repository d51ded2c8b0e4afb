"""How a network learns."""

import torch
import torch.nn.functional as F
from torch.optim import Adam

BATCH = 64  # pictures before each step


def one_epoch(net, adam, squares, labels):
    """Show each square once; return the loss."""
    total = 0.0
    order = torch.randperm(len(labels))
    for some in order.split(BATCH):
        logits = net(squares[some])
        truth = labels[some]
        loss = F.cross_entropy(logits, truth)
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += loss.item() * len(some)
    return total / len(labels)


def learn(net, squares, labels, rate, epochs):
    """Train a network and return it."""
    adam = Adam(net.parameters(), rate)
    net.train()
    for _ in range(epochs):
        one_epoch(net, adam, squares, labels)
    return net.eval()
