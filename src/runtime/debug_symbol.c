/*
 * Names of addresses. dladdr knows what a file exports; most functions of a program are
 * not exported, so its symbol table is read as well, where it was not stripped.
 */
#include "config.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/debug_priv.h"

void symbols_deinit(struct symbols *s)
{
	if (s->file)
		(void)munmap((void *)(uintptr_t)s->file, s->size);
	*s = SYMBOLS_NULL;
}

static bool is_program(const struct link_map *map)
{
	return !map || !map->l_name || map->l_name[0] == '\0';
}

static const char *map_file(const char *path, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(ElfW(Ehdr)))
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	*ret_size = (size_t)st.st_size;
	return p;
}

static void symbols_use(struct symbols *s, const Dl_info *info, struct link_map *map)
{
	if (s->base == info->dli_fbase)
		return;
	symbols_deinit(s);
	s->base = info->dli_fbase;
	s->file = map_file(
		is_program(map) ? "/proc/self/exe" : info->dli_fname, &s->size);
}

/* n things of size bytes at off, all inside the file and aligned; NULL */
static const void *part(const struct symbols *s, uint64_t off, uint64_t n, size_t size)
{
	if (off > s->size || off % sizeof(ElfW(Addr)) != 0 ||
		n > (s->size - off) / size)
		return NULL;
	return s->file + off;
}

static const ElfW(Sym) *
	find_in(const struct symbols *s, const ElfW(Shdr) * sh, uint64_t at)
{
	size_t n = sh->sh_size / sizeof(ElfW(Sym));
	const ElfW(Sym) *syms = part(s, sh->sh_offset, n, sizeof(*syms));

	for (size_t i = 0; syms && i < n; i++)
		if (ELF64_ST_TYPE(syms[i].st_info) == STT_FUNC &&
			syms[i].st_shndx != SHN_UNDEF && at >= syms[i].st_value &&
			at - syms[i].st_value < syms[i].st_size)
			return &syms[i];
	return NULL;
}

/* The function of the file's own table that at (a file's address) is in. */
static bool find_symbol(const struct symbols *s, uint64_t at, char *buf, size_t size)
{
	const ElfW(Ehdr) *eh = (const void *)s->file;
	const ElfW(Shdr) * sh;

	if (!eh || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
		eh->e_shentsize != sizeof(*sh))
		return false;
	sh = part(s, eh->e_shoff, eh->e_shnum, sizeof(*sh));
	for (size_t i = 0; sh && i < eh->e_shnum; i++) {
		const ElfW(Shdr) * names;
		const ElfW(Sym) *sym = NULL;

		if (sh[i].sh_type == SHT_SYMTAB && sh[i].sh_link < eh->e_shnum)
			sym = find_in(s, &sh[i], at);
		if (!sym)
			continue;
		names = &sh[sh[i].sh_link];
		if (names->sh_offset > s->size ||
			names->sh_size > s->size - names->sh_offset ||
			sym->st_name >= names->sh_size)
			return false;
		(void)snprintf(buf, size, "%.*s", (int)(names->sh_size - sym->st_name),
			s->file + names->sh_offset + sym->st_name);
		return true;
	}
	return false;
}

/* What the program's own addresses are relative to. */
static uint64_t address_in_file(
	const Dl_info *info, const struct symbols *s, uint64_t pc)
{
	const ElfW(Ehdr) *eh = (const void *)s->file;

	return eh && eh->e_type == ET_EXEC ? pc : pc - (uintptr_t)info->dli_fbase;
}

bool symbol_is_own(const void *pc)
{
	struct link_map *map = NULL;
	Dl_info own, info;

	return dladdr1((const void *)(uintptr_t)&symbol_is_own, &own, (void **)&map,
		       RTLD_DL_LINKMAP) &&
	       !is_program(map) && dladdr(pc, &info) && info.dli_fbase == own.dli_fbase;
}

/* What is not public is renamed in an installed archive (prefix_names in local.mk): to those
 * who look at names, and to people, it is what it was. */
static void drop_prefix(char *name)
{
	static const char prefix[] = "rv__private_";

	if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
		memmove(name, name + sizeof(prefix) - 1,
			strlen(name + sizeof(prefix) - 1) + 1);
}

/* Of one function compilers make several, which have its name and more: f.cold, f.part.0.
 * (Two dots may be in a name of Rust's.) */
static void cut_suffix(char *name)
{
	char *dot = strchr(name, '.');

	while (dot && dot[1] == '.')
		dot = strchr(dot + 2, '.');
	if (dot && dot > name)
		*dot = '\0';
}

bool symbol_name(struct symbols *s, const void *pc, char *buf, size_t size)
{
	struct link_map *map = NULL;
	Dl_info info;

	if (!dladdr1(pc, &info, (void **)&map, RTLD_DL_LINKMAP))
		return false;
	if (info.dli_sname) {
		(void)snprintf(buf, size, "%s", info.dli_sname);
	} else {
		symbols_use(s, &info, map);
		if (!find_symbol(
			    s, address_in_file(&info, s, (uintptr_t)pc), buf, size))
			return false;
	}
	drop_prefix(buf);
	cut_suffix(buf);
	return true;
}

void symbol_text(struct symbols *s, const void *pc, char *buf, size_t size)
{
	struct link_map *map = NULL;
	char name[SYMBOL_MAX / 2];
	const char *file, *slash;
	Dl_info info;
	uint64_t at;

	if (!dladdr1(pc, &info, (void **)&map, RTLD_DL_LINKMAP)) {
		(void)snprintf(buf, size, "%p", pc);
		return;
	}
	symbols_use(s, &info, map);
	at = address_in_file(&info, s, (uintptr_t)pc);
	slash = info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
	file = slash ? slash + 1 : info.dli_fname ? info.dli_fname : "?";
	if (symbol_name(s, pc, name, sizeof(name)))
		(void)snprintf(buf, size, "%s (%s+0x%llx)", name, file,
			(unsigned long long)at);
	else
		(void)snprintf(buf, size, "%s+0x%llx", file, (unsigned long long)at);
}
