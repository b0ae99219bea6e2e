"""Weights into a network: by name and shape, with a sentence where they do not fit."""

from collections.abc import Mapping

from torch import Tensor, nn

HEAD = "fc."  # what the last layer's parameters begin with, in our networks and in torchvision's


def fit_weights(network: nn.Module, weights: Mapping[str, Tensor], source: str, *, new_head: bool) -> None:
    """Load weights in place; with a new head, all but the last layer's.

    Raises:
        ValueError: names or shapes differ. The message lists the first of them, and the network is unchanged.
    """
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    if new_head:
        wanted, given = ({k: v for k, v in each.items() if not k.startswith(HEAD)} for each in (wanted, given))
    differences = [f"{name} is missing" for name in wanted.keys() - given.keys()]
    differences += [f"{name} has no place in the network" for name in given.keys() - wanted.keys()]
    differences += [
        f"{name} has shape {given[name]}, the network's {wanted[name]}"
        for name in wanted.keys() & given.keys()
        if given[name] != wanted[name]
    ]
    if differences:
        first = "; ".join(sorted(differences)[:3])
        raise ValueError(f"{source} does not fit this network, in {len(differences)} of its names: {first}.")
    network.load_state_dict({name: weights[name] for name in wanted}, strict=not new_head)
