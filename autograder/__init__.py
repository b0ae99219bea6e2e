"""ConvBook's autograder: grades notebooks with verdicts made outside the student's process."""

import sys

# Reading notebooks imports jsonschema, which builds parsers of international addresses where it finds this package: a
# second of every start, for a format that nothing here has. Without it jsonschema leaves that format out.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
