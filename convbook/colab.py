"""The first code cell of every notebook: it gives Colab what the course needs, and nothing else anywhere."""

_TEMPLATE = """\
# In Colab this cell fetches the course's helpers. Everywhere else it does nothing.
import importlib.util
import subprocess
import sys

if "google.colab" in sys.modules:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if importlib.util.find_spec("anywidget") is None:
        subprocess.check_call([*pip, "anywidget"])
    if importlib.util.find_spec("convbook") is None:
        subprocess.check_call([*pip, "--no-deps", "convbook @ git+{repository}@{branch}"])
    importlib.invalidate_caches()

    from google.colab import output

    output.enable_custom_widget_manager()"""


def install_cell(repository: str, branch: str) -> str:
    """The source of the install cell.

    `--no-deps` keeps every version that Colab ships, torch's above all: convbook's other dependencies are
    there already. Plain Python without magics, so that the cell also runs outside IPython.

    Args:
        repository: URL of the git repository that holds `convbook`, as in course.toml.
        branch: branch or tag to install from.
    """
    return _TEMPLATE.format(repository=repository, branch=branch)
