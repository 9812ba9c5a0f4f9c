# tests/unit/cli
