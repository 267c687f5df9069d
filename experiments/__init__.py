"""The experiments on real networks: each module is a command that makes one table of results."""
