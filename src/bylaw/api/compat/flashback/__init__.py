"""Flashback's contract for AI policies, served over the same core as everything else."""
