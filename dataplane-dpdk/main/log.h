// SPDX-License-Identifier: Apache-2.0
//
// One line per event on standard error: time, level, message with key=value pairs. Never called
// by workers while they forward.

#pragma once

enum weir_log_level { WEIR_LOG_ERROR, WEIR_LOG_WARN, WEIR_LOG_INFO, WEIR_LOG_DEBUG };

__attribute__((format(printf, 2, 3))) void weir_log(enum weir_log_level level, const char *format,
						    ...);

#define weir_error(...) weir_log(WEIR_LOG_ERROR, __VA_ARGS__)
#define weir_warn(...)  weir_log(WEIR_LOG_WARN, __VA_ARGS__)
#define weir_info(...)  weir_log(WEIR_LOG_INFO, __VA_ARGS__)
