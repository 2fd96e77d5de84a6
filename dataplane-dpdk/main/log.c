// SPDX-License-Identifier: Apache-2.0

#include "main/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void weir_log(enum weir_log_level level, const char *format, ...)
{
	static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
	char line[1024];
	struct timespec now;
	struct tm utc;
	va_list args;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t length = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
	length += (size_t)snprintf(line + length, sizeof(line) - length, ".%03ldZ %-5s ",
				   now.tv_nsec / 1000000, names[level]);
	va_start(args, format);
	vsnprintf(line + length, sizeof(line) - length, format, args);
	va_end(args);
	fprintf(stderr, "%s\n", line);
}
