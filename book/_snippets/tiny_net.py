"""The network with 1,443 numbers."""

from collections import OrderedDict

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
