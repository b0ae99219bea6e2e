"""A policy's rules as a seccomp filter: a classic BPF program that the kernel runs before every system call.

The program is a straight list. It ends the process on a foreign machine's calls (32-bit code), answers calls that
are newer than our table with "no such call", then tries the rules one after another: when the number and every
test match, it answers with the rule's errno. What no rule names is allowed.

An instruction is `(code, jump if true, jump if false, value)`; jumps count the instructions to skip. The offsets
into `struct seccomp_data` are: 0 number, 4 machine, 16 + 8 i the lower half of argument i (both machines are
little-endian).
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

from autograder.kernel import PR_SET_NO_NEW_PRIVS, prctl, syscall
from autograder.policy import Rule, Test
from autograder.syscalls import LAST_KNOWN, Machine, machine, number

Instruction = tuple[int, int, int, int]

LOAD, JUMP_EQUAL, JUMP_ABOVE, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
KILL_PROCESS, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
NUMBER, MACHINE = 0, 4
SECCOMP_SET_MODE_FILTER = 1


def assemble(rules: Iterable[Rule], on: Machine, own_pid: int) -> list[Instruction]:
    """The program for these rules, in their order."""
    program: list[Instruction] = [
        (LOAD, 0, 0, MACHINE),
        (JUMP_EQUAL, 1, 0, on.audit_arch),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
        (JUMP_ABOVE, 0, 1, LAST_KNOWN),
        (RETURN, 0, 0, ERRNO | errno.ENOSYS),
    ]
    for rule in rules:
        nr = number(rule.syscall, on)
        if nr is not None:
            program += _rule(nr, rule, own_pid)
    return [*program, (RETURN, 0, 0, ALLOW)]


def _rule(nr: int, rule: Rule, own_pid: int) -> list[Instruction]:
    """Reload the number, compare it, run the tests, answer; every failing comparison skips to the end."""
    size = 3 + 2 * len(rule.when)
    lines: list[Instruction] = [(LOAD, 0, 0, NUMBER), (JUMP_EQUAL, 0, size - 2, nr)]
    for test in rule.when:
        lines.append((LOAD, 0, 0, 16 + 8 * test.argument))
        lines.append(_jump(test, to_end=size - len(lines) - 1, own_pid=own_pid))
    return [*lines, (RETURN, 0, 0, ERRNO | rule.errno)]


def _jump(test: Test, to_end: int, own_pid: int) -> Instruction:
    value = own_pid if test.value == "own pid" else int(test.value)
    match test.operator:
        case "is":
            return (JUMP_EQUAL, 0, to_end, value)
        case "is not":
            return (JUMP_EQUAL, to_end, 0, value)
        case "has any of":
            return (JUMP_ANY_BIT, 0, to_end, value)


def install(rules: Iterable[Rule]) -> None:
    """Filter this thread's system calls, and those of all that it starts, from now on."""
    program = assemble(rules, machine(), os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    prctl(PR_SET_NO_NEW_PRIVS, 1)
    syscall("seccomp", SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(Program(len(program), ctypes.addressof(code))))
