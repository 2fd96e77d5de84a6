// SPDX-License-Identifier: Apache-2.0

#include "cli/message_json.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void print_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p < 0x20)
			fprintf(out, "\\u%04x", *p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
}

static void print_bytes(FILE *out, const ProtobufCBinaryData *bytes)
{
	char text[INET6_ADDRSTRLEN];

	fputc('"', out);
	if (bytes->len == 4 || bytes->len == 16) {
		int family = bytes->len == 4 ? AF_INET : AF_INET6;

		fputs(inet_ntop(family, bytes->data, text, sizeof(text)), out);
	} else {
		for (size_t i = 0; i < bytes->len; i++)
			fprintf(out, "%s%02x", i > 0 && bytes->len == 6 ? ":" : "", bytes->data[i]);
	}
	fputc('"', out);
}

// PROBE_OUTCOME_CONNECTED of enum ProbeOutcome becomes "connected": the first value of an enum is
// its prefix followed by UNSPECIFIED.
static void print_enum(FILE *out, const ProtobufCEnumDescriptor *descriptor, int value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);
	const char *first = descriptor->n_values > 0 ? descriptor->values[0].name : "";
	const char *unspecified = strstr(first, "UNSPECIFIED");
	size_t prefix = unspecified != NULL ? (size_t)(unspecified - first) : 0;

	if (found == NULL) {
		fprintf(out, "%d", value);
		return;
	}
	const char *name = found->name;
	if (strncmp(name, first, prefix) == 0)
		name += prefix;
	fputc('"', out);
	for (; *name != '\0'; name++)
		fputc(tolower((unsigned char)*name), out);
	fputc('"', out);
}

static void print_value(FILE *out, const ProtobufCFieldDescriptor *field, const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		fprintf(out, "%" PRId32, *(const int32_t *)value);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		fprintf(out, "%" PRId64, *(const int64_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		fprintf(out, "%" PRIu32, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		fprintf(out, "%" PRIu64, *(const uint64_t *)value);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		fprintf(out, "%g", (double)*(const float *)value);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		fprintf(out, "%g", *(const double *)value);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		fputs(*(const protobuf_c_boolean *)value ? "true" : "false", out);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		print_enum(out, field->descriptor, *(const int *)value);
		break;
	case PROTOBUF_C_TYPE_STRING:
		print_string(out, *(const char *const *)value);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		print_bytes(out, value);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		message_json_print(out, *(const ProtobufCMessage *const *)value);
		break;
	}
}

static size_t element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return 4;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		break;
	}
	return 8;
}

static void print_repeated(FILE *out, const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
	size_t nb = *(const size_t *)(const void *)(message + field->quantifier_offset);
	const uint8_t *elements = *(const uint8_t *const *)(const void *)(message + field->offset);

	fputc('[', out);
	for (size_t i = 0; i < nb; i++) {
		if (i > 0)
			fputc(',', out);
		print_value(out, field, elements + i * element_size(field->type));
	}
	fputc(']', out);
}

static int is_absent(const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
	const void *value = message + field->offset;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(const void *)(message + field->quantifier_offset) !=
		       field->id;
	return field->type == PROTOBUF_C_TYPE_MESSAGE &&
	       field->label != PROTOBUF_C_LABEL_REPEATED && *(const void *const *)value == NULL;
}

void message_json_print(FILE *out, const ProtobufCMessage *message)
{
	const uint8_t *bytes = (const uint8_t *)message;
	int first = 1;

	fputc('{', out);
	for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (is_absent(field, bytes))
			continue;
		fprintf(out, "%s\"%s\":", first ? "" : ",", field->name);
		first = 0;
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			print_repeated(out, field, bytes);
		else
			print_value(out, field, bytes + field->offset);
	}
	fputc('}', out);
}
