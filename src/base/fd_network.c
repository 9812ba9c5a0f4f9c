/* Which file systems are network ones: locks, mmap and rename behave differently there.
 */
#include "config.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/macro.h"

/* numbers that older linux/magic.h files lack are given here */
static const struct {
	unsigned long magic;
	const char *name;
} network_types[] = {
	{NFS_SUPER_MAGIC, "nfs"},
	{SMB_SUPER_MAGIC, "smb"},
	{0xff534d42, "cifs"},
	{0xfe534d42, "smb2"},
	{V9FS_MAGIC, "9p"},
	{AFS_SUPER_MAGIC, "afs"},
	{0x6b414653, "afs"},
	{CODA_SUPER_MAGIC, "coda"},
	{NCP_SUPER_MAGIC, "ncp"},
	{0x00c36400, "ceph"},
	{0x7461636f, "ocfs2"},
	{0x01161970, "gfs2"},
	{0x0bd00bd0, "lustre"},
	{0x19830326, "fhgfs"},
	{0x47504653, "gpfs"},
	{0xaad7aaea, "panfs"},
};

/* All of FUSE has one magic number; only the mount table tells sshfs from a local one.
 */
static const char *const network_fuse_types[] = {
	"fuse.sshfs",
	"fuse.glusterfs",
	"fuse.ceph-fuse",
	"fuse.rclone",
	"fuse.s3fs",
	"fuse.davfs",
	"fuse.curlftpfs",
	"fuse.juicefs",
	"fuse.mfs",
	"fuse.gcsfuse",
	"fuse.goofys",
	"fuse.beegfs",
};

/* name in the table above of the FUSE mount whose device is dev, NULL when it is local
 */
static const char *fuse_network_type(dev_t dev)
{
	_cleanup_(fclosep) FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	const char *found = NULL;
	size_t size = 0;

	while (f && !found && getline(&line, &size, f) > 0) {
		unsigned int dev_major, dev_minor;
		const char *sep = strstr(line, " - ");
		char type[64];

		if (sscanf(line, "%*d %*d %u:%u", &dev_major, &dev_minor) != 2 || !sep)
			continue;
		if (dev_major != major(dev) || dev_minor != minor(dev))
			continue;
		if (sscanf(sep, " - %63s", type) != 1)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(network_fuse_types) && !found; i++) {
			if (STREQ(type, network_fuse_types[i]))
				found = network_fuse_types[i];
		}
	}
	return found;
}

int fd_is_network_fs(int fd, const char **ret_name)
{
	const char *name = NULL;
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(network_types) && !name; i++) {
		/* f_type is signed and as wide as a long: compare the 32 bits there are
		 */
		if ((uint32_t)fs.f_type == (uint32_t)network_types[i].magic)
			name = network_types[i].name;
	}
	if (!name && (uint32_t)fs.f_type == FUSE_SUPER_MAGIC) {
		if (fstat(fd, &st) < 0)
			return -errno;
		name = fuse_network_type(st.st_dev);
	}
	if (!name)
		return 0;
	*ret_name = name;
	return 1;
}
