"""Loads data with torch's DataLoader and two workers."""

AFTER = {
    "output-size": """
import torch
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers=2)
print([batch.sum().item() for (batch,) in loader])
""",
}
