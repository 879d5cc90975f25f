"""Rewards from codescaler servers for trainers of code models. Standard library only.

One module for each trainer: `openrlhf_reward`, `verl_reward`, `trl_reward`. No module has the name of a trainer's own
package, and none changes `sys.path`, so a trainer's child processes still import the trainer.
"""
