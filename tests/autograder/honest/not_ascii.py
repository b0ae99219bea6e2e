"""Writes in its own language: identifiers, comments and output beyond ASCII, and characters of four bytes."""

ANSWERS = {
    "output-size": """
# Größe: wie oft hat der Kern Platz?  大小  🧮
def größe(länge, kern, schritt, abstand):
    σ = abstand * (kern - 1) + 1
    if σ > länge:
        raise ValueError("zu großer Kern ∅ 🙃")
    return (länge - σ) // schritt + 1


def output_size(n, k, stride=1, padding=0, dilation=1):
    if padding == "same":
        return -(-n // stride)
    return größe(n if padding == "valid" else n + 2 * padding, k, stride, dilation)


def same_padding(n, k, stride=1, dilation=1):
    Δ = max((-(-n // stride) - 1) * stride + dilation * (k - 1) + 1 - n, 0)
    return Δ // 2, Δ - Δ // 2


print("größe(6, 3) →", output_size(6, 3), "✓ 卷积 حجم")
""",
}
