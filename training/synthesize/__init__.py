"""Problems without tests: from seed problems to a set for reinforcement learning whose rewards come from our server."""
