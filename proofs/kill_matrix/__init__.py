"""Real processes are killed or frozen at every failpoint, and the service must recover: `make kill-matrix`.

It proves that whatever a process was doing when it died is completed by others within 60 s, and that nothing happens
twice. One cell is one process, one failpoint, the first or second time that it is reached.
"""
