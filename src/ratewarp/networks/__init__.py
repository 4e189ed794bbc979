"""Networks: an encoder to Gaussian posteriors, a decoder back to images, and task heads on the codes. One
file a network, one name in `NETWORKS`."""

from ratewarp.networks.by_size import ConvolutionConfig
from ratewarp.networks.convolutional import Convolutional, encoder_shapes
from ratewarp.networks.decoder_layers import Layer, Nonlinearity, decoder_layers, through_layers
from ratewarp.networks.given_network import GivenNetwork
from ratewarp.networks.heads import Head, make_head
from ratewarp.networks.mlp import MLP
from ratewarp.networks.network import AutoEncoder, ImageShape, Network, Networks, latent_rates, sample_codes
from ratewarp.networks.parameters import from_named, to_named
from ratewarp.networks.parts import arrays_of, skeleton, whole
from ratewarp.networks.products import precise
from ratewarp.networks.pullback import local_volume, pullback_metric

NETWORKS = (Convolutional, MLP)

__all__ = [
    "MLP",
    "NETWORKS",
    "AutoEncoder",
    "ConvolutionConfig",
    "Convolutional",
    "GivenNetwork",
    "Head",
    "ImageShape",
    "Layer",
    "Network",
    "Networks",
    "Nonlinearity",
    "arrays_of",
    "decoder_layers",
    "encoder_shapes",
    "from_named",
    "latent_rates",
    "local_volume",
    "make_head",
    "precise",
    "pullback_metric",
    "sample_codes",
    "skeleton",
    "through_layers",
    "to_named",
    "whole",
]
