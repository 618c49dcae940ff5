"""Values and decisions: no disk, no network, no clock, no chance, no environment."""
