// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.weir.edge.AgentView;
import dev.weir.edge.flow.FlowReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The agent's own pages: {@code /healthz} and {@code /metrics} in Prometheus' text form. */
public final class Pages implements AutoCloseable {
    private final HttpServer server;
    private final Supplier<AgentView> view;
    private final @Nullable FlowReader flows;

    private Pages(HttpServer server, Supplier<AgentView> view, @Nullable FlowReader flows) {
        this.server = server;
        this.view = view;
        this.flows = flows;
    }

    /** @param flows null: no flow records are published */
    public static Pages serve(InetSocketAddress address, Supplier<AgentView> view, @Nullable FlowReader flows)
            throws IOException {
        Pages pages = new Pages(HttpServer.create(address, 16), view, flows);
        pages.server.createContext("/healthz", pages::health);
        pages.server.createContext("/metrics", pages::metrics);
        pages.server.start();
        return pages;
    }

    /** The port in use; of interest when 0 was asked for. */
    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void health(HttpExchange exchange) throws IOException {
        AgentView now = view.get();
        boolean up = now.engineConnected();
        answer(exchange, up ? 200 : 503, "text/plain", up ? "ok\n" : "the engine is away\n");
    }

    private void metrics(HttpExchange exchange) throws IOException {
        AgentView now = view.get();
        PrometheusText text = new PrometheusText();
        text.line("gauge", "weir_agent_engine_connected", now.engineConnected() ? 1 : 0);
        text.line("gauge", "weir_agent_node_configured", now.nodeConfigured() ? 1 : 0);
        text.line("gauge", "weir_agent_keys", now.keysKnown());
        text.line("gauge", "weir_agent_load_balancers_applied", now.loadBalancersApplied());
        text.line("gauge", "weir_agent_load_balancers_rejected", now.loadBalancersRejected());
        text.line("gauge", "weir_agent_vips_announced", now.vipsAnnounced());
        text.line("gauge", "weir_agent_members_unhealthy", now.membersUnhealthy());
        text.line("gauge", "weir_agent_members_flapping", now.membersFlapping());
        text.line("gauge", "weir_agent_member_removals_held", now.memberRemovalsHeld());
        text.line("counter", "weir_agent_member_removals_held_total", now.memberRemovalsHeldTotal());
        text.line("gauge", "weir_agent_sweep_held", now.sweepHeld() ? 1 : 0);
        text.line("counter", "weir_agent_watermarks_sent_total", now.watermarksSent());
        text.line("gauge", "weir_agent_metrics_reports_unconfirmed", now.metricsUnconfirmed());
        if (flows != null) {
            text.line("counter", "weir_agent_flow_records_published_total", flows.published());
            text.line("counter", "weir_agent_flow_records_lost_total", flows.lost());
        }
        now.engine().print(text);
        answer(exchange, 200, PrometheusText.CONTENT_TYPE, text.toString());
    }

    private static void answer(HttpExchange exchange, int status, String type, String body) throws IOException {
        try (exchange) {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(status, bytes.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(bytes);
            }
        }
    }
}
