from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import entropy, norm

from ratewarp._checks import RequestError
from ratewarp.geometry import effective_prototypes, latent_rates, stimulus_information

RNG = np.random.default_rng(0)


def _binary_gaussian(apart):
    """I(S;Z) of two even stimuli whose codes are Gaussian, `apart` standard deviations from each other, by
    integration.
    """

    def integrand(z):
        first, second = norm.pdf(z), norm.pdf(z - apart)
        return 0.5 * first * np.log(2 * first / (first + second)) if first > 0 else 0.0

    return 2 * quad(integrand, -12, 12)[0]


@pytest.mark.parametrize("apart", [0.5, 1.5, 4.0])
def test_two_gaussian_stimuli(apart):
    stimuli = np.repeat([0, 1], 4000)
    codes = RNG.standard_normal((8000, 1)) + apart * stimuli[:, None]
    assert stimulus_information(codes, stimuli).mean() == pytest.approx(_binary_gaussian(apart), abs=0.02)


def test_noise_that_is_given_is_drawn():
    stimuli = np.repeat([0, 1], 4000)
    codes = 1.5 * stimuli[:, None].astype(float)
    found = stimulus_information(codes, stimuli, noise=np.ones_like(codes))
    assert found.mean() == pytest.approx(_binary_gaussian(1.5), abs=0.02)


def test_discrete_cases_by_hand():
    """Noise far smaller than the distances: I(S;Z) is the entropy of the groups, with uneven frequencies too."""
    stimuli = np.repeat(np.arange(4), 50)
    codes = (100.0 * np.array([0, 0, 1, 2]))[stimuli][:, None] + RNG.standard_normal((200, 1))
    frequency = np.array([0.4, 0.3, 0.2, 0.1])
    found = frequency @ stimulus_information(codes, stimuli, frequency=frequency)
    assert found == pytest.approx(entropy([0.7, 0.2, 0.1]), abs=0.03)
    assert effective_prototypes(codes, stimuli, frequency=frequency) == pytest.approx(
        np.exp(entropy([0.7, 0.2, 0.1])), abs=0.1
    )


def test_codes_of_pure_noise_are_one_prototype():
    """The plug-in estimate would find many; the cross-fitted one does not, with three items a stimulus and
    more latents than that.
    """
    found = [
        effective_prototypes(
            np.random.default_rng(seed).standard_normal((300, 6)), np.repeat(np.arange(100), 3)
        )
        for seed in range(20)
    ]
    assert max(found) < 1.2


def test_never_more_than_the_truth_on_average():
    """A bound from below also where codes are not Gaussian: the mean over samples stays below I(S;Z),
    integrated.
    """
    # uniform codes on [0, 1] and [0.5, 1.5]: half of the codes tell nothing
    truth = np.log(2) - 0.5 * np.log(2)
    rng, stimuli = np.random.default_rng(3), np.repeat([0, 1], 30)
    found = [
        stimulus_information(rng.uniform(size=(60, 1)) + 0.5 * stimuli[:, None], stimuli).mean()
        for _ in range(200)
    ]
    assert np.mean(found) < truth
    assert np.mean(found) > 0.5 * truth


@pytest.mark.parametrize(("stimuli", "items", "latents"), [(8, 10, 100), (8, 5, 40), (20, 3, 5)])
def test_more_latents_than_items_still_tell(stimuli, items, latents):
    """Populations that are easily decoded, with a covariance that few items cannot give."""
    rng = np.random.default_rng(0)
    means = 1.5 * rng.standard_normal((stimuli, latents))
    places = np.repeat(np.arange(stimuli), items)
    found = effective_prototypes(means[places] + rng.standard_normal((stimuli * items, latents)), places)
    assert 0.2 * stimuli < found <= stimuli


def test_latent_rates_by_integration():
    codes, noise = RNG.normal(size=(5, 2)), RNG.uniform(0.1, 2, (5, 2))

    def divergence(mean, deviation):
        posterior = norm(mean, deviation)
        return quad(
            lambda z: posterior.pdf(z) * (posterior.logpdf(z) - norm.logpdf(z)),
            mean - 9 * deviation,
            mean + 9 * deviation,
        )[0]

    expected = [
        np.mean([divergence(m, np.sqrt(v)) for m, v in zip(codes[:, j], noise[:, j], strict=True)])
        for j in range(2)
    ]
    np.testing.assert_allclose(latent_rates(codes, noise), expected, rtol=1e-6)


def test_bad_input_is_named():
    with pytest.raises(RequestError, match="at least three items"):
        stimulus_information(np.eye(3), np.arange(3))
    with pytest.raises(RequestError, match="noise must be positive"):
        latent_rates(np.eye(3), np.zeros((3, 3)))
    np.testing.assert_array_equal(stimulus_information(np.ones((6, 2)), np.repeat([0, 1], 3)), 0)
