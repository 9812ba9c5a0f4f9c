#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "tests/support/unit.h"
#include "varlink/idl.h"

static struct vl_idl *idl;
static struct vl_idl_error error;

static int parse(const char *s)
{
	return vl_idl_parse(&idl, &error, s, strlen(s));
}

static void accept(const char *s)
{
	int r = parse(s);

	ck_assert_msg(r == 0, "%s\n%u:%u: %s", s, error.line, error.column, error.text);
	idl = vl_idl_free(idl);
}

static void refuse(const char *s, unsigned line, unsigned column, const char *text)
{
	ck_assert_msg(parse(s) == -EINVAL, "accepted: %s", s);
	ck_assert_str_eq(error.text, text);
	ck_assert_uint_eq(error.line, line);
	ck_assert_uint_eq(error.column, column);
}

static const char example[] = "# Jumps.\n"
			      "# Through space.\n"
			      "interface org.example.ftl\n"
			      "\n"
			      "# a comment that belongs to nothing\n"
			      "\n"
			      "# The drive.\n"
			      "type Drive (\n"
			      "  # busy or not\n"
			      "  state: (idle, spooling, busy), # not of the next\n"
			      "  level: ?int,\n"
			      "  tags: [string]string,\n"
			      "  names: []string,\n"
			      "  set: [string](),\n"
			      "  deep: ?[](first: int, second: ?[string][]Drive),\n"
			      "  b_b: bool, f: float, o: object, a: any\n"
			      ")\n"
			      "type Mode (fast, slow)\n"
			      "method Jump(to: Drive, mode: ?Mode) -> ()\n"
			      "error Broken (why: string)\n"
			      "method Monitor()->(drive:Drive)";

START_TEST(whole_language_is_understood)
{
	const struct vl_member *drive, *jump;

	ck_assert_int_eq(parse(example), 0);
	ck_assert_str_eq(idl->name, "org.example.ftl");
	ck_assert_uint_eq(idl->n_members, 5);
	drive = vl_idl_member(idl, VL_MEMBER_TYPE, "Drive");
	ck_assert_uint_eq(drive->type.n, 10);
	ck_assert_int_eq(drive->type.fields[0].type.kind, VL_ENUM);
	ck_assert_uint_eq(strv_len(drive->type.fields[0].type.values), 3);
	ck_assert(drive->type.fields[1].type.nullable);
	ck_assert_int_eq(drive->type.fields[2].type.kind, VL_MAP);
	ck_assert_int_eq(drive->type.fields[3].type.kind, VL_ARRAY);
	ck_assert_int_eq(drive->type.fields[4].type.element->kind, VL_STRUCT);
	ck_assert_uint_eq(drive->type.fields[4].type.element->n, 0);
	ck_assert_int_eq(drive->type.fields[9].type.kind, VL_ANY);
	jump = vl_idl_member(idl, VL_MEMBER_METHOD, "Jump");
	ck_assert_ptr_eq(jump->type.fields[0].type.named, &drive->type);
	ck_assert_ptr_null(vl_idl_member(idl, VL_MEMBER_ERROR, "Jump"));
	vl_idl_free(idl);
}
END_TEST

START_TEST(comments_right_above_are_kept_as_doc)
{
	const struct vl_member *drive;

	ck_assert_int_eq(parse(example), 0);
	drive = vl_idl_member(idl, VL_MEMBER_TYPE, "Drive");
	ck_assert_str_eq(idl->doc, "Jumps.\nThrough space.");
	ck_assert_str_eq(drive->doc, "The drive.");
	ck_assert_str_eq(drive->type.fields[0].doc, "busy or not");
	ck_assert_ptr_null(drive->type.fields[1].doc);
	ck_assert_ptr_null(vl_idl_member(idl, VL_MEMBER_TYPE, "Mode")->doc);
	vl_idl_free(idl);
}
END_TEST

START_TEST(names_of_interfaces_are_reverse_domains)
{
	static const char *const good[] = {"a.b", "org.varlink.service", "a1.b--1.c-d",
		"com.example.0example", "xn--lgbbat1ad8j.example.algeria",
		"Com.Example"};
	static const char *const bad[] = {"", "a", "1a.b", "a.", ".a", "a..b", "a-.b",
		"a.-b", "a.b-", "a.b_c", "-a.b"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(vl_interface_name_is_valid(good[i], strlen(good[i])),
			"%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!vl_interface_name_is_valid(bad[i], strlen(bad[i])), "%s",
			bad[i]);
}
END_TEST

START_TEST(overlong_name_is_refused)
{
	char text[600];
	int n = snprintf(text, sizeof(text), "interface a.%0260d\nmethod F()->()", 1);

	ck_assert_int_eq(vl_idl_parse(&idl, &error, text, (size_t)n), -EINVAL);
	n = snprintf(text, sizeof(text), "interface a.b\nmethod F%0260d()->()", 1);
	ck_assert_int_eq(vl_idl_parse(&idl, &error, text, (size_t)n), -EINVAL);
}
END_TEST

START_TEST(layout_does_not_matter)
{
	accept("interface a.b method F()->()");
	accept("interface a.b\r\nmethod F ( a : int , b:string)\n\t->\n( )\r\n");
	accept("#\n#x\ninterface a.b#y\nmethod F(#z\na:#\nint)->()#end");
	accept("interface a.b\ntype T ()\nerror E ()");
}
END_TEST

START_TEST(errors_name_their_place)
{
	refuse("", 1, 1, "expected 'interface', got end of text");
	refuse("type T ()", 1, 1, "expected 'interface', got 'type'");
	refuse("interface foo\n", 1, 11,
		"expected the name of an interface, got 'foo'");
	refuse("interface a.b\n", 2, 1,
		"expected 'type', 'method' or 'error', got end of text");
	refuse("interface a.b\n  foo", 2, 3,
		"expected 'type', 'method' or 'error', got 'foo'");
	refuse("interface a.b\nmethod f()->()", 2, 8,
		"expected a name that begins with a capital, got 'f'");
	refuse("interface a.b\nmethod F", 2, 9, "expected '(', got end of text");
	refuse("interface a.b\nmethod F()", 2, 11, "expected '->', got end of text");
	refuse("interface a.b\nmethod F(a)->()", 2, 11,
		"expected ':' after the field's name, got ')'");
	refuse("interface a.b\nmethod F(a:)->()", 2, 12, "expected a type, got ')'");
	refuse("interface a.b\nmethod F(a:int,)->()", 2, 16,
		"expected the name of a field, got ')'");
	refuse("interface a.b\nmethod F(a:int b:int)->()", 2, 16,
		"expected ',' or ')', got 'b'");
	refuse("interface a.b\nmethod F(a_:int)->()", 2, 10,
		"expected the name of a field, got 'a_'");
	refuse("interface a.b\nmethod F(a__b:int)->()", 2, 10,
		"expected the name of a field, got 'a__b'");
	refuse("interface a.b\nmethod F(a:??int)->()", 2, 13, "'?' is there twice");
	refuse("interface a.b\nmethod F(a:[int]int)->()", 2, 12,
		"expected '[]' or '[string]'");
	refuse("interface a.b\nmethod F(a:integer)->()", 2, 12,
		"expected a type, got 'integer'");
	refuse("interface a.b\nmethod F(a:int;)->()", 2, 15, "unexpected ';'");
	refuse("interface a.b\ntype T (a, b: int)", 2, 13,
		"expected ',' or ')', got ':'");
	refuse("interface a.b\nerror E (a, b)", 2, 11,
		"expected ':' after the field's name, got ','");
}
END_TEST

START_TEST(names_are_defined_once_and_used_types_exist)
{
	refuse("interface a.b\ntype T ()\nmethod T()->()", 3, 8, "'T' is there twice");
	refuse("interface a.b\ntype T (a: int, a: int)", 2, 18,
		"field 'a' is there twice");
	refuse("interface a.b\ntype T (a, b, a)", 2, 16, "value 'a' is there twice");
	refuse("interface a.b\nmethod F(a: []Foo)->()", 2, 15,
		"type 'Foo' is not defined");
	refuse("interface a.b\nerror Foo ()\nmethod F(a: Foo)->()", 3, 13,
		"type 'Foo' is not defined");
}
END_TEST

START_TEST(nesting_is_limited)
{
	char text[400];
	size_t n;

	n = (size_t)sprintf(text, "interface a.b\ntype T (a: ");
	for (int i = 0; i < VL_IDL_DEPTH_MAX - 1; i++, n += 2)
		memcpy(text + n, "[]", 2);
	memcpy(text + n, "int)", 5);
	accept(text);
	memcpy(text + n, "[]int)", 7);
	ck_assert_int_eq(parse(text), -EINVAL);
	ck_assert_str_eq(error.text, "types are nested too deeply");
}
END_TEST

START_TEST(fields_of_one_thing_are_limited)
{
	static char big[VL_IDL_TEXT_MAX + 2];
	size_t n = (size_t)sprintf(big, "interface a.b\ntype T (");

	for (int i = 0; i <= VL_IDL_ITEMS_MAX; i++)
		n += (size_t)sprintf(big + n, "f%d: int,", i);
	ck_assert_int_eq(vl_idl_parse(&idl, &error, big, n), -EINVAL);
	ck_assert_str_eq(error.text, "more than 4096 fields");
	memset(big, ' ', sizeof(big));
	ck_assert_int_eq(vl_idl_parse(&idl, &error, big, sizeof(big)), -EINVAL);
	ck_assert_str_eq(error.text, "text is over 262144 bytes");
}
END_TEST

START_TEST(hostile_bytes_are_shown_escaped)
{
	refuse("interface a.b\n\x01", 2, 1, "unexpected '\\x01'");
	ck_assert_int_eq(vl_idl_parse(&idl, &error, "interface a.b\n\0", 15), -EINVAL);
	ck_assert_str_eq(error.text, "unexpected '\\x00'");
}
END_TEST

UNIT_MAIN("idl", whole_language_is_understood, comments_right_above_are_kept_as_doc,
	names_of_interfaces_are_reverse_domains, overlong_name_is_refused,
	layout_does_not_matter, errors_name_their_place,
	names_are_defined_once_and_used_types_exist, nesting_is_limited,
	fields_of_one_thing_are_limited, hostile_bytes_are_shown_escaped)
