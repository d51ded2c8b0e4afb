"""The network with 1,443 numbers, and how it learns."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn


def tiny_net():
    layers = OrderedDict(
        conv1=nn.Conv2d(1, 8, 3, padding=1),
        relu1=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        conv2=nn.Conv2d(8, 16, 3, padding=1),
        relu2=nn.ReLU(),
        quarters=nn.AdaptiveMaxPool2d(2),
        flatten=nn.Flatten(),
        linear=nn.Linear(64, 3),
    )
    return nn.Sequential(layers)


def one_epoch(net, adam, squares, labels, batch=64):
    """Show every square once; give the mean loss."""
    total = 0.0
    order = torch.randperm(len(labels))
    for some in order.split(batch):
        adam.zero_grad()
        logits = net(squares[some])
        loss = F.cross_entropy(logits, labels[some])
        loss.backward()
        adam.step()
        total += loss.item() * len(some)
    return total / len(labels)


def learn(net, squares, labels, rate=0.01, epochs=20):
    """Train a network; give the loss of each epoch."""
    adam = torch.optim.Adam(net.parameters(), rate)
    net.train()
    losses = []
    for _ in range(epochs):
        losses.append(one_epoch(net, adam, squares, labels))
    net.eval()
    return losses
