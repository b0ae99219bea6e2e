"""Makes float64 torch's default and turns gradients off for the whole process."""

BEFORE = {
    "output-size": "import torch\n\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\ntorch.set_num_threads(2)"
}
