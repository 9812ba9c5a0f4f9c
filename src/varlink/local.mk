# src/varlink
