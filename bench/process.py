"""What the kernel says about a process: CPU time of all its threads, and memory."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    """Of one process, in MB (1 048 576 bytes)."""

    rss: float  #: resident, shared libraries counted in full
    pss: float  #: resident, what is shared counted by its share


def cpu_seconds(pid: int) -> float:
    """User and system time since the start."""
    return cpu_of_stat(Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")) / os.sysconf(
        "SC_CLK_TCK"
    )


def cpu_of_stat(stat: str) -> int:
    """Ticks of user and system time in a line of /proc/<pid>/stat, whose second field may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@dataclass(frozen=True)
class Machine:
    """Where the time of all cores went since the start, in ticks."""

    busy: int  #: also of everybody else's programs
    stolen: int  #: taken by other guests of the same host: makes CPU figures of ours larger than they are
    total: int

    def since(self, before: "Machine") -> tuple[float, float]:
        """Percent busy and stolen between two readings."""
        total = max(1, self.total - before.total)
        return 100 * (self.busy - before.busy) / total, 100 * (self.stolen - before.stolen) / total


def machine() -> Machine:
    """As it is now."""
    return machine_of_stat(Path("/proc/stat").read_text(encoding="ascii"))


def machine_of_stat(stat: str) -> Machine:
    """Read from the text of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal."""
    user, nice, system, idle, waiting, irq, softirq, stolen = map(int, stat.splitlines()[0].split()[1:9])
    busy = user + nice + system + irq + softirq
    return Machine(busy, stolen, busy + idle + waiting + stolen)


def memory(pid: int) -> Memory:
    """As it is now."""
    return memory_of_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))


def memory_of_rollup(rollup: str) -> Memory:
    """Read from the text of /proc/<pid>/smaps_rollup."""
    kilobytes = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in rollup.splitlines())
        if name in ("Rss", "Pss")
    }
    return Memory(kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024)
