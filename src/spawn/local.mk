# src/spawn
