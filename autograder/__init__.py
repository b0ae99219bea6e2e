"""ConvBook's autograder: grades notebooks with verdicts made outside the student's process."""
