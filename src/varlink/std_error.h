/* The errors of org.varlink.service. */
#ifndef VARLINK_STD_ERROR_H
#define VARLINK_STD_ERROR_H

#include "base/buf.h"
#include "varlink/fault.h"

#define VL_SERVICE "org.varlink.service"

#define VL_ERROR_INTERFACE_NOT_FOUND    VL_SERVICE ".InterfaceNotFound"
#define VL_ERROR_METHOD_NOT_FOUND       VL_SERVICE ".MethodNotFound"
#define VL_ERROR_METHOD_NOT_IMPLEMENTED VL_SERVICE ".MethodNotImplemented"
#define VL_ERROR_INVALID_PARAMETER      VL_SERVICE ".InvalidParameter"
#define VL_ERROR_PERMISSION_DENIED      VL_SERVICE ".PermissionDenied"
#define VL_ERROR_EXPECTED_MORE          VL_SERVICE ".ExpectedMore"

/* Text that comes from outside is cut to this in errors. */
#define VL_ERROR_VALUE_MAX 256

/**
 * Append an error message of one parameter, or none.
 *
 * @key    NULL: no parameters
 * @value  cut at VL_ERROR_VALUE_MAX bytes
 *
 * Returns 0, -ENOMEM (out is as it was).
 */
int vl_encode_error_simple(
	struct buf *out, const char *name, const char *key, const char *value);

/* InvalidParameter {parameter, reason}; an empty path becomes "message", an empty
 * reason is left out. */
int vl_encode_invalid(struct buf *out, const char *path, const char *reason);

#endif
