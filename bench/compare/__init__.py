"""What bench/run is made of: servers, workloads, whether two runs were the same work, and how results are shown."""
