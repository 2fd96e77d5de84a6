// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.metrics;

import java.util.Map;

/** A page in Prometheus' text exposition format, version 0.0.4. */
final class PrometheusText {
    static final String CONTENT_TYPE = "text/plain; version=0.0.4";

    private final StringBuilder text = new StringBuilder();

    void line(String type, String name, long value) {
        type(type, name);
        text.append(name).append(' ').append(value).append('\n');
    }

    /** @param values by the value of the one label; label values hold no quotes, backslashes or line ends */
    void lines(String type, String name, String label, Map<String, Long> values) {
        if (values.isEmpty()) {
            return;
        }
        type(type, name);
        values.forEach((labelled, value) -> text.append(name)
                .append('{')
                .append(label)
                .append("=\"")
                .append(labelled)
                .append("\"} ")
                .append(value)
                .append('\n'));
    }

    private void type(String type, String name) {
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
