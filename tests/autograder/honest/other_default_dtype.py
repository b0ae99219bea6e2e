"""Makes float64 torch's default and turns gradients off for the whole process."""

BEFORE = {
    "output-size": """
import torch

torch.set_default_dtype(torch.float64)
torch.set_grad_enabled(False)
torch.set_num_threads(2)
""",
}
