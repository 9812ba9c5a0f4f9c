# conf

# The commented configuration: every key is commented out, so that it changes nothing. One
# that an administrator has made or changed is never written over.
EXTRA_DIST += conf/reeve.conf
dist_man_MANS += conf/reeve.conf.5
reeveconfdir = $(sysconfdir)/reeve
.PHONY: install-reeve-conf uninstall-reeve-conf
install-data-local: install-reeve-conf
install-reeve-conf:
	$(MKDIR_P) $(DESTDIR)$(reeveconfdir)
	test -e $(DESTDIR)$(reeveconfdir)/reeve.conf || \
		$(INSTALL_DATA) $(srcdir)/conf/reeve.conf $(DESTDIR)$(reeveconfdir)
uninstall-local: uninstall-reeve-conf
uninstall-reeve-conf:
	! cmp -s $(srcdir)/conf/reeve.conf $(DESTDIR)$(reeveconfdir)/reeve.conf || \
		rm -f $(DESTDIR)$(reeveconfdir)/reeve.conf
# conf: systemd units. The paths are put in here and not by configure, which would leave
# ${prefix} in them.
system_units = \
	conf/system/reeve-spawner.service \
	conf/system/reeve.target \
	conf/system/reeved.service \
	conf/system/reeved.socket
user_units = \
	conf/user/reeve-spawner.service \
	conf/user/reeve.target \
	conf/user/reeved.service \
	conf/user/reeved.socket

nodist_systemdsystemunit_DATA = $(system_units)
nodist_systemduserunit_DATA = $(user_units)
CLEANFILES += $(system_units) $(user_units)
EXTRA_DIST += conf/README.md \
	conf/system/reeve-spawner.service.in \
	conf/system/reeve.target.in \
	conf/system/reeved.service.in \
	conf/system/reeved.socket.in \
	conf/user/reeve-spawner.service.in \
	conf/user/reeve.target.in \
	conf/user/reeved.service.in \
	conf/user/reeved.socket.in

$(system_units) $(user_units): %: %.in Makefile
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(SED) -e 's,[@]sbindir[@],$(sbindir),g' \
		-e 's,[@]pkglibexecdir[@],$(pkglibexecdir),g' $< >$@.tmp && mv $@.tmp $@
