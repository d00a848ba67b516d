"""`jepa doctor`: what surrounds the jobs, checked piece by piece, each check in a process of its own."""
