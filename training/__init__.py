"""How the embedded model is made, and what trains, evaluates and checks reward models. Run from the repository's root."""
