"""How much of a machine is ours, as its files say: of the system, and of control groups."""

import os
from pathlib import Path

import pytest

from upvs_tasks.machine import free_memory_bytes, usable_cores

GB = 1 << 30
ALL_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
OF_VERSION_2 = "0::/docker/c0ffee\n"
OF_VERSION_1 = "4:memory:/docker/c0ffee\n1:cpu,cpuacct:/docker/c0ffee\n0::/\n"


def system(root: Path, files: dict[str, str]) -> Path:
    """Folder with such files of a system."""
    meminfo = f"MemTotal: {16 << 20} kB\nMemFree: {1 << 20} kB\nMemAvailable: {8 << 20} kB\n"
    for name, text in {"proc/meminfo": meminfo, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_without_limits_all_that_is_available_is_free(tmp_path: Path) -> None:
    assert free_memory_bytes(system(tmp_path, {})) == 8 * GB
    assert usable_cores(tmp_path) == ALL_CORES


@pytest.mark.parametrize("folder", ["docker/c0ffee", "docker", "."])
def test_a_control_group_limits_memory(tmp_path: Path, folder: str) -> None:
    """Its own, one above it, or the only one that a container sees. Cached files count as free."""
    group = f"sys/fs/cgroup/{folder}"
    files = {
        "proc/self/cgroup": OF_VERSION_2,
        f"{group}/memory.max": f"{2 * GB}\n",
        f"{group}/memory.current": f"{GB}\n",
        f"{group}/memory.stat": f"anon {GB // 2}\ninactive_file {GB // 2}\n",
    }
    assert free_memory_bytes(system(tmp_path, files)) == 3 * GB // 2


@pytest.mark.parametrize("folder", ["memory/docker/c0ffee", "memory"])
def test_so_does_one_of_the_first_version(tmp_path: Path, folder: str) -> None:
    group = f"sys/fs/cgroup/{folder}"
    files = {
        "proc/self/cgroup": OF_VERSION_1,
        f"{group}/memory.limit_in_bytes": f"{2 * GB}\n",
        f"{group}/memory.usage_in_bytes": f"{GB}\n",
        f"{group}/memory.stat": f"inactive_file 0\ntotal_inactive_file {GB // 4}\n",
    }
    assert free_memory_bytes(system(tmp_path, files)) == 5 * GB // 4


@pytest.mark.parametrize(("limit", "usage"), [("max", str(GB)), (str(1 << 62), str(GB)), ("", "")])
def test_a_group_without_a_limit_limits_nothing(tmp_path: Path, limit: str, usage: str) -> None:
    group = "sys/fs/cgroup/docker/c0ffee"
    files = {
        "proc/self/cgroup": OF_VERSION_2,
        f"{group}/memory.max": limit,
        f"{group}/memory.current": usage,
    }
    assert free_memory_bytes(system(tmp_path, files)) == 8 * GB


def test_a_group_that_is_used_up_leaves_nothing(tmp_path: Path) -> None:
    group = "sys/fs/cgroup"
    files = {
        "proc/self/cgroup": "0::/\n",
        f"{group}/memory.max": str(GB),
        f"{group}/memory.current": str(GB + 4096),
    }
    assert free_memory_bytes(system(tmp_path, files)) == 0


def test_a_system_that_says_less_is_taken_at_its_word(tmp_path: Path) -> None:
    """MacOS and others name the memory that they have, and no control groups."""
    free = free_memory_bytes(tmp_path)
    assert free is None or free > GB // 4
    assert usable_cores(tmp_path) == ALL_CORES


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("50000 100000", 1), ("100000 100000", 1), ("150000 100000", 2), ("max 100000", ALL_CORES)],
)
def test_a_quota_of_time_is_a_number_of_cores(tmp_path: Path, quota: str, cores: int) -> None:
    """A part of a core counts as one: two processes that take turns lose nothing."""
    files = {"proc/self/cgroup": OF_VERSION_2, "sys/fs/cgroup/docker/cpu.max": f"{quota}\n"}
    assert usable_cores(system(tmp_path, files)) == min(cores, ALL_CORES)


@pytest.mark.parametrize(("quota", "cores"), [("100000", 1), ("-1", ALL_CORES), ("odd", ALL_CORES)])
def test_a_quota_of_the_first_version_too(tmp_path: Path, quota: str, cores: int) -> None:
    group = "sys/fs/cgroup/cpu/docker/c0ffee"
    files = {
        "proc/self/cgroup": OF_VERSION_1,
        f"{group}/cpu.cfs_quota_us": f"{quota}\n",
        f"{group}/cpu.cfs_period_us": "100000\n",
    }
    assert usable_cores(system(tmp_path, files)) == cores
