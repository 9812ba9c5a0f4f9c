# tests/unit/runtime
