/* org.varlink.service, answered by the protocol layer itself. */
#ifndef VARLINK_BUILTIN_H
#define VARLINK_BUILTIN_H

#include "varlink/registry.h"

extern const char org_varlink_service_varlink[];

/* Sets route->builtin by the method's name; for the routes of org.varlink.service. */
void vl_builtin_bind(struct vl_route *route);

#endif
