# src/daemon
include src/daemon/config.mk
