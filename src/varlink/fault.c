#include "config.h"

#include "varlink/fault.h"

#include <stdarg.h>
#include <stdio.h>

void vl_fault_set(struct vl_fault *f, const char *path, const char *reason, ...)
{
	va_list ap;

	snprintf(f->path, sizeof(f->path), "%s", path);
	va_start(ap, reason);
	vsnprintf(f->reason, sizeof(f->reason), reason, ap);
	va_end(ap);
}
