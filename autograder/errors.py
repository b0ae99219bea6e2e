"""The tree of errors, drawn once: whose fault it is decides what happens next.

    AutograderError
    ├── InstructorError        the course's or the command line's fault: the command stops, exit code 2
    │   ├── CourseError        course.toml cannot be used
    │   ├── AssignmentError    solutions/NAME cannot be used
    │   └── SandboxError       this machine does not give the sandbox that was asked for
    ├── SubmissionError        the student's fault: one result with this reason, everybody else is graded
    │   └── ProtocolError      the student's process sent what no honest process sends
    └── EngineError            our fault: this submission gets no result, exit code 3
        └── ClusterError       the machines that grade are gone: the run stops, exit code 3; a second run goes on

Every message is a sentence that says what to do. The message of a `SubmissionError` is shown to the student,
so it holds nothing of the tests, the machine or the other students.
"""


class AutograderError(Exception):
    """Anything that this package raises on purpose."""


class InstructorError(AutograderError):
    """The course, the machine or the command line needs a change by the instructor."""


class CourseError(InstructorError):
    """course.toml is missing, malformed or says something impossible."""


class AssignmentError(InstructorError):
    """An assignment's source or its catalogue of mistakes breaks the contract."""


class SandboxError(InstructorError):
    """The sandbox that was asked for does not exist here."""


class SubmissionError(AutograderError):
    """What was handed in cannot be graded; the message tells the student why."""


class ProtocolError(SubmissionError):
    """The student's process broke the protocol; a doubtful process is killed, never believed."""


class EngineError(AutograderError):
    """A defect on our side: no verdict can be given."""


class ClusterError(EngineError):
    """Nobody is left to grade: what was graded is kept, and every other submission would meet the same."""
