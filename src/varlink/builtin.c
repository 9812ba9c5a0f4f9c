#include "config.h"

#include "varlink/builtin.h"

#include <errno.h>
#include <string.h>

#include "base/invariant.h"
#include "varlink/json_write.h"
#include "varlink/std_error.h"

static int get_info(const struct vl_registry *reg, const json_t *params,
	struct buf *out, struct vl_fault *fault)
{
	const struct vl_registry_info *info = vl_registry_info(reg);
	struct json_writer w;
	const char *name;

	json_writer_init(&w, out);
	json_writer_object(&w, NULL);
	json_writer_string(&w, "vendor", info->vendor);
	json_writer_string(&w, "product", info->product);
	json_writer_string(&w, "version", info->version);
	json_writer_string(&w, "url", info->url);
	json_writer_array(&w, "interfaces");
	for (size_t i = 0; (name = vl_registry_name(reg, i)); i++)
		json_writer_string(&w, NULL, name);
	json_writer_array_end(&w);
	json_writer_object_end(&w);
	return json_writer_end(&w);
}

static int get_description(const struct vl_registry *reg, const json_t *params,
	struct buf *out, struct vl_fault *fault)
{
	const char *name = json_string_value(json_object_get(params, "interface"));
	const char *text = vl_registry_text(reg, name);
	struct json_writer w;

	if (!text) {
		vl_fault_set(fault, name, "no such interface");
		return -ENOENT;
	}
	json_writer_init(&w, out);
	json_writer_object(&w, NULL);
	json_writer_string(&w, "description", text);
	json_writer_object_end(&w);
	return json_writer_end(&w);
}

void vl_builtin_bind(struct vl_route *route)
{
	if (STREQ(route->name, VL_SERVICE ".GetInfo"))
		route->builtin = get_info;
	else if (STREQ(route->name, VL_SERVICE ".GetInterfaceDescription"))
		route->builtin = get_description;
	INVARIANT(route->builtin);
}
