"""What the gateway is compared with: each document answered by one statement written by hand, and nothing else."""
