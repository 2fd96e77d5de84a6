// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.Shell;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HttpResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Weir in front of HAProxy: each backend runs a proxy that routes by path. One of them is drained, replaced and taken
 * back under load, without an error.
 */
final class TwoTier implements Drill {
    private static final int PROXY_PORT = 8090;

    @Override
    public String name() {
        return "two-tier";
    }

    @Override
    public void run(DrillRun run) throws IOException, InterruptedException {
        Report report = run.report();
        Map<BackendPlan, Process> proxies = new HashMap<>();
        BackendPlan upgraded = run.scenario().shape.backends(1).getFirst();
        try {
            report.step("Start a proxy on every backend");
            for (BackendPlan backend : run.scenario().shape.backends()) {
                proxies.put(backend, proxy(run, backend, "1"));
            }
            report.step("Move the pool's members to the proxies");
            run.scenario().observe(run.scenario().balancer.replaceHttpMembers(run.scenario().shape, PROXY_PORT));
            run.checkServed("through the proxies");
            checkRouted(run);
            try (Client.Running<HttpResult> load = run.load()) {
                report.step("Drain " + upgraded.name() + "'s proxy, replace it, take it back");
                run.scenario().observe(run.scenario().balancer.weigh(upgraded.name(), 0));
                awaitNoFlows(run, upgraded);
                Process old = proxies.remove(upgraded);
                if (old != null) {
                    old.destroyForcibly().waitFor();
                }
                proxies.put(upgraded, proxy(run, upgraded, "2"));
                run.scenario().observe(run.scenario().balancer.weigh(upgraded.name(), 100));
                TimeUnit.SECONDS.sleep(3);
                HttpResult result = load.end();
                report.figure("requests", result.requests());
                report.check(
                        "no request failed during the upgrade",
                        result.failed() == 0,
                        result.failed() + " of " + result.requests() + " " + result.errors());
            }
            String version = header(run, upgraded);
            report.check("the new proxy serves", version.contains("x-proxy: 2"), version.strip());
        } finally {
            for (Process proxy : proxies.values()) {
                proxy.destroyForcibly().waitFor();
            }
        }
    }

    private static Process proxy(DrillRun run, BackendPlan backend, String version)
            throws IOException, InterruptedException {
        Path file = run.stack().directory().resolve(backend.name() + "-haproxy.cfg");
        Files.writeString(file, """
                global
                	maxconn 2000
                defaults
                	mode http
                	timeout connect 2s
                	timeout client 30s
                	timeout server 30s
                frontend web
                	bind :%d
                	http-response set-header x-proxy %s
                	http-response set-header x-tier %%[var(txn.tier)]
                	http-request set-var(txn.tier) str(pages)
                	http-request set-var(txn.tier) str(files) if { path_beg /bytes }
                	use_backend files if { path_beg /bytes }
                	default_backend pages
                backend pages
                	server local 127.0.0.1:%d
                backend files
                	server local 127.0.0.1:%d
                """.formatted(PROXY_PORT, version, BackendPlan.HTTP_PORT, BackendPlan.OTHER_HTTP_PORT));
        Process proxy = new ProcessBuilder(
                        run.scenario().topology.in(backend.name(), List.of("haproxy", "-db", "-f", file.toString())))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(run.stack()
                        .directory()
                        .resolve(backend.name() + "-haproxy.log")
                        .toFile()))
                .start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!header(run, backend).contains("x-proxy: " + version)) {
            if (!proxy.isAlive() || System.nanoTime() > deadline) {
                proxy.destroyForcibly();
                throw new IOException("haproxy does not serve on " + backend.name());
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        return proxy;
    }

    private static String header(DrillRun run, BackendPlan backend) throws IOException, InterruptedException {
        return Shell.run(run.scenario()
                        .topology
                        .in(
                                backend.name(),
                                List.of("curl", "-s", "-o", "/dev/null", "-D", "-", "http://127.0.0.1:" + PROXY_PORT)))
                .output();
    }

    private static void checkRouted(DrillRun run) throws IOException, InterruptedException {
        Client client = run.scenario().clients.getFirst();
        String pages = client.curl("-D", "-", "http://" + run.vip() + "/").output();
        String files =
                client.curl("-D", "-", "http://" + run.vip() + "/bytes?n=3").output();
        run.report()
                .check(
                        "the proxies route by path",
                        pages.contains("x-tier: pages") && files.contains("x-tier: files"),
                        "/ and /bytes");
    }

    private static void awaitNoFlows(DrillRun run, BackendPlan backend) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (run.scenario()
                        .balancer
                        .memberStatus(backend.name())
                        .path("active_flows")
                        .asLong()
                > 0) {
            if (System.nanoTime() > deadline) {
                throw new IOException(backend.name() + " still has flows");
            }
            TimeUnit.MILLISECONDS.sleep(250);
        }
    }
}
