// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/report.h"

#include <stdlib.h>
#include <string.h>

struct summary {
	uint32_t nb;
	double min;
	double median;
	double ratio; // median of the samples' ratios
};

void report_calibrated(struct report *report, struct calibration seen)
{
	struct calibration *best = &report->best;

	if (best->macswap_ns == 0 || seen.macswap_ns < best->macswap_ns)
		best->macswap_ns = seen.macswap_ns;
	if (best->dram_ns == 0 || seen.dram_ns < best->dram_ns)
		best->dram_ns = seen.dram_ns;
}

bool report_counts(const struct report *report, struct calibration seen)
{
	double factor = 1 + report->tolerance_percent / 100.0;

	return seen.macswap_ns <= report->best.macswap_ns * factor &&
	       seen.dram_ns <= report->best.dram_ns * factor;
}

static struct report_row *find_row(struct report *report, const char *name, const char *metric)
{
	for (uint32_t i = 0; i < report->nb_rows; i++)
		if (strcmp(report->rows[i].name, name) == 0 &&
		    strcmp(report->rows[i].metric, metric) == 0)
			return &report->rows[i];
	if (report->nb_rows == REPORT_MAX_ROWS) {
		fprintf(stderr, "more rows than REPORT_MAX_ROWS\n");
		abort();
	}
	struct report_row *row = &report->rows[report->nb_rows++];
	snprintf(row->name, sizeof(row->name), "%s", name);
	snprintf(row->metric, sizeof(row->metric), "%s", metric);
	return row;
}

void report_add(struct report *report, const char *name, const char *metric, const char *unit,
		double value, const char *baseline, double baseline_value, struct calibration seen)
{
	struct report_row *row = find_row(report, name, metric);

	snprintf(row->unit, sizeof(row->unit), "%s", unit);
	row->baseline = baseline;
	if (row->nb == REPORT_MAX_SAMPLES)
		return;
	row->samples[row->nb].value = value;
	row->samples[row->nb].baseline_value = baseline_value;
	row->samples[row->nb++].calibration = seen;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, uint32_t nb)
{
	if (nb == 0)
		return 0;
	qsort(values, nb, sizeof(*values), compare);
	return nb % 2 != 0 ? values[nb / 2] : (values[nb / 2 - 1] + values[nb / 2]) / 2;
}

static struct summary summarize(const struct report *report, const struct report_row *row)
{
	double values[REPORT_MAX_SAMPLES];
	double ratios[REPORT_MAX_SAMPLES];
	struct summary summary = {0};

	for (uint32_t i = 0; i < row->nb; i++) {
		if (!report_counts(report, row->samples[i].calibration))
			continue;
		values[summary.nb] = row->samples[i].value;
		if (row->baseline != NULL)
			ratios[summary.nb] = row->samples[i].value / row->samples[i].baseline_value;
		summary.nb++;
	}
	summary.median = median(values, summary.nb); // sorts them
	summary.min = summary.nb > 0 ? values[0] : 0;
	if (row->baseline != NULL)
		summary.ratio = median(ratios, summary.nb);
	return summary;
}

uint32_t report_counted(const struct report *report, const char *name, const char *metric)
{
	for (uint32_t i = 0; i < report->nb_rows; i++)
		if (strcmp(report->rows[i].name, name) == 0 &&
		    strcmp(report->rows[i].metric, metric) == 0)
			return summarize(report, &report->rows[i]).nb;
	return 0;
}

void report_print(const struct report *report, FILE *out)
{
	fprintf(out, "%-22s %-18s %10s %10s %-6s %7s  %s\n", "case", "metric", "median", "min",
		"unit", "rounds", "against");
	for (uint32_t i = 0; i < report->nb_rows; i++) {
		const struct report_row *row = &report->rows[i];
		struct summary summary = summarize(report, row);

		fprintf(out, "%-22s %-18s %10.2f %10.2f %-6s %3u/%-3u", row->name, row->metric,
			summary.median, summary.min, row->unit, summary.nb, row->nb);
		if (row->baseline != NULL)
			fprintf(out, "  %.2f x %s", summary.ratio, row->baseline);
		fputc('\n', out);
	}
}

void report_json(const struct report *report, FILE *out)
{
	const char *separator = "";

	fputs("[", out);
	for (uint32_t i = 0; i < report->nb_rows; i++) {
		const struct report_row *row = &report->rows[i];
		struct summary summary = summarize(report, row);

		if (summary.nb == 0)
			continue;
		fprintf(out,
			"%s\n{\"case\": \"%s\", \"metric\": \"%s\", \"value\": %.3f, \"unit\": "
			"\"%s\", \"min\": %.3f, \"rounds\": %u, ",
			separator, row->name, row->metric, summary.median, row->unit, summary.min,
			summary.nb);
		if (row->baseline != NULL)
			fprintf(out, "\"baseline\": \"%s\", \"ratio\": %.4f}", row->baseline,
				summary.ratio);
		else
			fprintf(out, "\"baseline\": null, \"ratio\": null}");
		separator = ",";
	}
	fputs("\n]\n", out);
}
