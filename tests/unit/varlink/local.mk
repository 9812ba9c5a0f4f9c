# tests/unit/varlink
