"""Does the arithmetic on torch tensors and hands NumPy arrays back, views of tensors."""

ANSWERS = {
    "conv2d": """
import torch


def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    x, w = torch.tensor(x, requires_grad=True), torch.tensor(w)
    F, D, kH, kW = w.shape
    padded = torch.zeros(*x.shape[:2], x.shape[2] + 2 * padding, x.shape[3] + 2 * padding, dtype=x.dtype)
    padded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]] = x
    windows = padded.unfold(2, dilation * (kH - 1) + 1, stride).unfold(3, dilation * (kW - 1) + 1, stride)
    windows = windows[..., ::dilation, ::dilation]
    parts = [
        torch.einsum("nchwij,fcij->nfhw", windows[:, g * D : (g + 1) * D], w[g * F // groups : (g + 1) * F // groups])
        for g in range(groups)
    ]
    y = torch.cat(parts, dim=1)
    return (y if b is None else y + torch.tensor(b)[:, None, None]).detach().numpy()
""",
}
