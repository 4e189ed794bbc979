"""Networks: an encoder to Gaussian posteriors, a decoder back to images, and task heads on the codes."""

from ratewarp.models.heads import Head, make_head
from ratewarp.models.networks import AutoEncoder, ConvolutionConfig, NetworkConfig, check_network, encoder_axes, latent_rates, sample_codes
from ratewarp.models.parameters import from_named, to_named
from ratewarp.models.pullback import local_volume, pullback_metric

__all__ = [
    "AutoEncoder",
    "ConvolutionConfig",
    "Head",
    "NetworkConfig",
    "check_network",
    "encoder_axes",
    "from_named",
    "latent_rates",
    "local_volume",
    "make_head",
    "pullback_metric",
    "sample_codes",
    "to_named",
]
