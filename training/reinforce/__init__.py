"""Reinforcement learning on MBPP with rewards from our server, against rewards from tests and against no training."""
