"""The policy as data: limits, rules, levels, and the filter that is assembled from them."""

import errno
import re
from dataclasses import fields
from pathlib import Path

import pytest

from autograder import policy, seccomp, syscalls
from autograder.errors import InstructorError, SandboxError
from autograder.policy import LEVELS, SANDBOXES, Limits, Rule, build, common_rules, shared_host_rules
from autograder.policy import Test as ArgumentTest

X86_64, AARCH64 = syscalls.MACHINES
EVERY_RULE = (*common_rules(), *shared_host_rules(False), Rule("memfd_create"))


# Limits


def test_limits_have_the_documented_defaults():
    assert Limits() == Limits(30, 120, 1024, 64, 1024, 256, 10)


@pytest.mark.parametrize("value", [0, -1, 1.5, "30", True, None])
@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_a_limit_that_is_no_positive_whole_number_is_refused_by_name(name, value):
    with pytest.raises(InstructorError, match=name):
        Limits(**{name: value})


# Levels


def test_an_unknown_level_is_refused():
    with pytest.raises(InstructorError, match="namespaces, userns, landlock"):
        build("chroot", Limits(), root=True, cgroup=True)  # type: ignore[arg-type]


def test_every_level_has_a_summary():
    assert set(policy.SUMMARY) == set(LEVELS)


@pytest.mark.parametrize("level", SANDBOXES)
@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("cgroup", [False, True])
def test_every_sandbox_denies_the_same_calls_and_sets_the_same_limits(level, root, cgroup):
    limits = Limits(submission_seconds=7, memory_mb=100, processes=9, disk_mb=11)
    made = build(level, limits, (Path("/opt/python"),), root=root, cgroup=cgroup)
    assert set(common_rules()) <= set(made.rules)
    assert {("RLIMIT_CORE", 0), ("RLIMIT_CPU", 7), ("RLIMIT_FSIZE", 11 << 20)} <= set(made.rlimits)
    assert made.data_growth == 100 << 20
    assert Path("/opt/python") in made.readable
    assert (Rule("memfd_create", errno.ENOSYS) in made.rules) is not cgroup
    assert (made.address_growth is None) is cgroup


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_can_read_homes_the_course_or_host_configuration(level):
    made = build(level, Limits(), root=True, cgroup=True)
    for path in ("/etc/passwd", "/etc/shadow", "/home/student", "/root", "/var", "/run", "/srv", "/proc/1", "/dev"):
        assert not any(Path(path).is_relative_to(readable) for readable in made.readable), path


def test_processes_are_counted_by_the_kernel_wherever_the_user_id_is_the_submissions_own():
    def counted(level, root):
        return "RLIMIT_NPROC" in dict(build(level, Limits(), root=root, cgroup=False).rlimits)

    assert counted("namespaces", True)
    assert counted("userns", False)
    assert counted("landlock", True)
    assert not counted("landlock", False)  # it would count the instructor's own processes


def test_only_a_request_for_none_gives_no_filter():
    assert [level for level in LEVELS if not build(level, Limits(), root=True, cgroup=True).rules] == ["none"]


def test_landlock_keeps_signals_in_with_the_filter_only_where_the_kernel_does_not():
    scoped = {rule.syscall for rule in shared_host_rules(signals_scoped=True)}
    unscoped = {rule.syscall for rule in shared_host_rules(signals_scoped=False)}
    assert unscoped - scoped == {"kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"}


# System calls


def headers(path, pattern):
    return {name: int(number) for name, number in re.findall(pattern, Path(path).read_text())}


@pytest.mark.parametrize(
    ("machine", "path", "pattern"),
    [
        (0, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", r"#define __NR_(\w+)\s+(\d+)"),
        (1, "/usr/include/asm-generic/unistd.h", r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
    ],
)
def test_numbers_agree_with_the_kernels_headers(machine, path, pattern):
    if not Path(path).exists():
        pytest.skip(f"{path} is not installed (package linux-libc-dev)")
    known = headers(path, pattern)
    ours = {name: numbers[machine] for name, numbers in syscalls.NUMBERS.items()}
    assert {name: number for name, number in ours.items() if number is not None} == {
        name: known[name] for name, number in ours.items() if number is not None
    }
    assert not [name for name, number in ours.items() if number is None and name in known]


def test_every_rule_names_a_call_that_some_machine_has():
    for rule in EVERY_RULE:
        assert any(syscalls.number(rule.syscall, machine) is not None for machine in syscalls.MACHINES)


def test_another_machine_is_refused_in_a_clear_sentence(monkeypatch):
    monkeypatch.setattr(syscalls.platform, "machine", lambda: "riscv64")
    with pytest.raises(SandboxError, match=r"x86_64 and aarch64; this is Linux on riscv64"):
        syscalls.machine()


# The filter, run by an interpreter of the same instructions


def run_filter(program, machine, number, *arguments):
    """What the kernel would answer: the return value of the classic BPF program."""
    data = {0: number, 4: machine.audit_arch}
    data |= {16 + 8 * index: value & 0xFFFFFFFF for index, value in enumerate(arguments)}
    accumulator, line = 0, 0
    while True:
        code, if_true, if_false, value = program[line]
        line += 1
        if code == seccomp.LOAD:
            accumulator = data.get(value, 0)
        elif code == seccomp.RETURN:
            return value
        else:
            holds = {
                seccomp.JUMP_EQUAL: accumulator == value,
                seccomp.JUMP_ABOVE: accumulator > value,
                seccomp.JUMP_ANY_BIT: bool(accumulator & value),
            }[code]
            line += if_true if holds else if_false


def answer(rules, machine, syscall, *arguments, pid=4242):
    number = syscall if isinstance(syscall, int) else syscalls.number(syscall, machine)
    value = run_filter(seccomp.assemble(rules, machine, pid), machine, number, *arguments)
    return {seccomp.ALLOW: "allow", seccomp.KILL_PROCESS: "kill"}.get(value, value & 0xFFFF)


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_the_filter_answers_each_rule_and_allows_the_rest(machine):
    for names in policy.DENIED.values():
        for name in names.split():
            if syscalls.number(name, machine) is not None:
                assert answer(EVERY_RULE, machine, name) == errno.EPERM, name
    assert answer(EVERY_RULE, machine, "close_range") == "allow"
    assert answer(EVERY_RULE, machine, "clone3") == errno.ENOSYS


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_calls_newer_than_the_table_or_of_a_foreign_machine_do_not_pass(machine):
    assert answer((), machine, syscalls.LAST_KNOWN) == "allow"
    assert answer((), machine, syscalls.LAST_KNOWN + 1) == errno.ENOSYS
    assert answer((), machine, 0x40000000) == errno.ENOSYS  # x32 numbers
    program = seccomp.assemble((), machine, 1)
    assert run_filter(program, syscalls.Machine("i386", 0x40000003), 1) == seccomp.KILL_PROCESS


def test_sockets_are_of_the_unix_family_and_at_the_landlock_level_only_pairs():
    common, shared = common_rules(), (*common_rules(), *shared_host_rules(True))
    assert answer(common, X86_64, "socket", 1) == "allow"
    assert answer(common, X86_64, "socket", 2) == errno.EAFNOSUPPORT
    assert answer(common, X86_64, "socket", (1 << 32) + 2) == errno.EAFNOSUPPORT
    assert answer(shared, X86_64, "socket", 1) == errno.EAFNOSUPPORT
    assert answer(shared, X86_64, "socketpair", 1) == "allow"


def test_threads_and_forks_pass_but_no_new_namespace():
    thread, fork, user_namespace, cgroup_namespace = 0x3D0F00, 17, 0x10000000, 0x02000000
    assert answer(common_rules(), X86_64, "clone", thread) == "allow"
    assert answer(common_rules(), X86_64, "clone", fork) == "allow"
    assert answer(common_rules(), X86_64, "clone", user_namespace | fork) == errno.EPERM
    assert answer(common_rules(), X86_64, "clone", cgroup_namespace | fork) == errno.EPERM


def test_signals_reach_only_the_own_process_where_landlock_does_not_scope_them():
    rules = shared_host_rules(signals_scoped=False)
    assert answer(rules, AARCH64, "kill", 4242, 9) == "allow"
    assert answer(rules, AARCH64, "kill", 0, 15) == "allow"
    assert answer(rules, AARCH64, "kill", 1, 9) == errno.EPERM
    assert answer(rules, AARCH64, "kill", -1, 9) == errno.EPERM
    assert answer(rules, AARCH64, "prlimit64", 1) == errno.EPERM


def test_a_rule_applies_when_all_of_its_tests_hold():
    both = Rule("fcntl", 5, (ArgumentTest(0, "is", 3), ArgumentTest(1, "is not", 8)))
    assert answer([both], X86_64, "fcntl", 3, 7) == 5
    assert answer([both], X86_64, "fcntl", 3, 8) == "allow"
    assert answer([both], X86_64, "fcntl", 4, 7) == "allow"


def test_pretended_success_is_errno_zero():
    assert answer(shared_host_rules(True), X86_64, "chmod") == 0
    assert answer(common_rules(), X86_64, "prctl", policy.PR_SET_PDEATHSIG) == 0
    assert answer(common_rules(), X86_64, "prctl", 15) == "allow"  # a thread's name
