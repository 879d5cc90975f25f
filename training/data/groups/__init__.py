"""Preference groups: a right program and several wrong ones."""
