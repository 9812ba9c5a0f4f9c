# contrib: nothing of it is built or installed
EXTRA_DIST += \
	.ci/packages \
	.ci/run \
	.clang-format \
	.editorconfig \
	contrib/adr/0001-error-space.md \
	contrib/adr/0002-stackful-coroutines.md \
	contrib/adr/0003-varlink-control-protocol.md \
	contrib/adr/0004-sqlite-store.md \
	contrib/adr/0005-clock-injection.md \
	contrib/adr/0006-convenience-library-per-layer.md \
	contrib/adr/0007-packed-spec.md \
	contrib/adr/0008-configuration-is-a-layer.md \
	contrib/adr/0009-spawner-by-libc.md \
	contrib/adr/0010-runtime-where-it-differs.md \
	contrib/adr/0011-calls-without-a-task.md \
	contrib/check \
	contrib/dev/build.sh \
	contrib/dev/check-all.sh \
	contrib/dev/coverage.sh \
	contrib/dev/format \
	contrib/dev/fuzz.sh \
	contrib/quickstart \
	contrib/setup \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/libreeve-dev.install \
	debian/libreeve0.install \
	debian/libreeve0.symbols \
	debian/reeve.docs \
	debian/reeve.install \
	debian/rules \
	debian/source/format \
	debian/tests/build-against-libreeve \
	debian/tests/control \
	debian/tests/user-mode
