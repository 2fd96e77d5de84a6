// SPDX-License-Identifier: Apache-2.0
//
// Samples of figures, each with the calibration of its moment; medians over those that count.

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { REPORT_MAX_SAMPLES = 64, REPORT_MAX_ROWS = 256 };

// What the yardsticks said before and after a sample, the slower of both.
struct calibration {
	double macswap_ns;
	double dram_ns;
};

struct report_row {
	char name[40];
	char metric[24];
	char unit[12];
	const char *baseline; // NULL: none
	uint32_t nb;
	struct {
		double value;
		double baseline_value;
		struct calibration calibration;
	} samples[REPORT_MAX_SAMPLES];
};

struct report {
	uint32_t tolerance_percent;
	struct calibration best;
	uint32_t nb_rows;
	struct report_row rows[REPORT_MAX_ROWS];
};

// Remembers the best calibration seen.
void report_calibrated(struct report *report, struct calibration seen);
// True if the machine was within the tolerance of the best seen.
bool report_counts(const struct report *report, struct calibration seen);
// baseline_value: of the same moment; ignored where `baseline` is NULL.
void report_add(struct report *report, const char *name, const char *metric, const char *unit,
		double value, const char *baseline, double baseline_value, struct calibration seen);
// Samples of a row that count.
uint32_t report_counted(const struct report *report, const char *name, const char *metric);
// A table for people; JSON rows of {"case","metric","value","unit","baseline","ratio"}.
void report_print(const struct report *report, FILE *out);
void report_json(const struct report *report, FILE *out);
