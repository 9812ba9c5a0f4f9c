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
