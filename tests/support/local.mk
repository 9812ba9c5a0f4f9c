# tests/support: what several test programs share
EXTRA_DIST += tests/support/unit.h tests/support/temp_dir.h \
	tests/support/alloc_fail.h
ALLOC_FAIL_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=reallocarray,--wrap=strdup,--wrap=strndup
