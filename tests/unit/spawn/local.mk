# tests/unit/spawn
