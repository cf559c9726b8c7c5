"""What a project answers while something that it needs fails: `make bench BENCHES=faults`."""
