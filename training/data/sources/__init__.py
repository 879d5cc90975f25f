"""From public packages to documented functions."""
