# tests/unit/job
