"""How good a reward is: on pairs, and as files that `codescaler eval` reads."""
