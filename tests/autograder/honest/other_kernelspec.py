"""Ran in an environment of its own, whose kernel the grader does not have."""


def change(notebook):
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python (cs231n)", "language": "python", "name": "conda-env-cs231n-py"},
        "language_info": {"name": "python", "version": "3.9.7", "codemirror_mode": {"name": "ipython", "version": 3}},
    }
    return notebook
