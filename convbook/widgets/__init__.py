"""Widgets that compute in the page: with a kernel, in Colab, or in the static book with none."""

from convbook.widgets.activation_explorer import ActivationExplorer
from convbook.widgets.channel_explorer import ChannelExplorer
from convbook.widgets.conv_explorer import ConvExplorer
from convbook.widgets.kernel_painter import KernelPainter
from convbook.widgets.layer_stack import LayerStack
from convbook.widgets.lenet_explorer import LeNetExplorer
from convbook.widgets.pool_explorer import PoolExplorer
from convbook.widgets.receptive_field import ReceptiveField
from convbook.widgets.shift_demo import ShiftDemo

__all__ = [
    "ActivationExplorer",
    "ChannelExplorer",
    "ConvExplorer",
    "KernelPainter",
    "LayerStack",
    "LeNetExplorer",
    "PoolExplorer",
    "ReceptiveField",
    "ShiftDemo",
]
