"""results.json: the class's results, from which every report can be made again."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import InstructorError
from autograder.grade import Result


@dataclass
class Results:
    """A graded class.

    Attributes:
        assignment: its name.
        sandbox: the level that the submissions ran in.
        engine: "judge", or "in-kernel" for verdicts out of the student's own interpreter.
        seed: "secret", or "practice" where every input of the hidden tests could be foreseen.
        results: one for each submission, by student.
    """

    assignment: str
    sandbox: str
    engine: str
    seed: str
    results: list[Result] = field(default_factory=list)

    def to_text(self) -> str:
        """The content of results.json, a result a line."""
        head = json.dumps({**vars(self), "results": []}, indent=1).removesuffix("]\n}")
        lines = ",\n".join(json.dumps(result.to_json()) for result in self.results)
        return f"{head}\n{lines}\n]}}\n" if lines else f"{head}]\n}}\n"

    @classmethod
    def load(cls, folder: Path) -> "Results":
        """Read FOLDER/results.json; raises `InstructorError` where there is none that can be used."""
        path = folder / "results.json"
        try:
            data: dict[str, Any] = json.loads(path.read_bytes())
            data["results"] = [Result.from_json(each) for each in data["results"]]
            return cls(**data)
        except FileNotFoundError:
            raise InstructorError(
                f"There is no {path}. Give the folder that autograder grade wrote with --out."
            ) from None
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise InstructorError(f"{path} is damaged ({error}). Grade again with the same --out.") from None
